"""Examples of properties are the same in every run, and no clock judges them.

`pytest --hypothesis-profile default` draws others. The defaults of the person at this
machine are not read.
"""

import os

from hypothesis import settings

os.environ["BLURGAN_DEFAULTS"] = ""

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
