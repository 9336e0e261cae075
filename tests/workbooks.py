"""The smallest workbooks that Excel would open, for what offices import."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def workbook(path: Path, *lines: Sequence[str | float]) -> Path:
    """A workbook with one sheet of these lines."""
    rows = "".join(
        f'<row r="{number}">' + "".join(map(_cell_xml, line)) + "</row>"
        for number, line in enumerate(lines, start=1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office_ns = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    with zipfile.ZipFile(path, "w") as book:
        book.writestr("[Content_Types].xml", (
            f'<Types xmlns="{types}"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{sheet_type}.sheet.main+xml"/>'
            '<Override PartName="/xl/worksheets/sheet1.xml" '
            f'ContentType="{sheet_type}.worksheet+xml"/></Types>'
        ))  # fmt: skip
        book.writestr("_rels/.rels", (
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{office_ns}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ))  # fmt: skip
        book.writestr("xl/workbook.xml", (
            f'<workbook xmlns="{main}" xmlns:r="{office_ns}"><sheets>'
            '<sheet name="TTHC" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ))  # fmt: skip
        book.writestr("xl/_rels/workbook.xml.rels", (
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{office_ns}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ))  # fmt: skip
        book.writestr("xl/worksheets/sheet1.xml", (
            f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>'
        ))  # fmt: skip
    return path


def _cell_xml(value: str | float) -> str:
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f"<c><v>{value}</v></c>"
