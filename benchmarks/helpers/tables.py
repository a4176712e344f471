"""Put tables between their markers in a document."""

import re
from collections.abc import Iterable, Sequence

from benchmarks.helpers.places import DOCS


def write_table(
    document: str, name: str, header: str, rows: Iterable[Sequence[object]]
) -> None:
    """Replace what stands between ``<!-- name -->`` and ``<!-- /name -->``, and print.

    Parameters
    ----------
    document : str
        File in the folder docs.
    name : str
        Of the markers.
    header : str
        The first line of the table, in Markdown.
    rows : iterable of sequence
        Cells.
    """
    path = DOCS / document
    lines = [header, re.sub(r"[^|]+", "---", header)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    table = "\n".join(lines) + "\n"
    text, found = pattern.subn(lambda m: m[1] + table + m[2], path.read_text())
    if not found:
        raise SystemExit(f"{path} has no place for the table {name!r}")
    path.write_text(text)
    print(f"{name}\n{table}")
