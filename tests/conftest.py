"""Examples of properties are the same in every run, and no clock judges them.

`pytest --hypothesis-profile default` draws others.
"""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
