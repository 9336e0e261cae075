"""Takes the picture of a letter, with made-up values: needs the extra ``letters``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

from notifier.rendering.letters import TypstLetters

HERE: Final = Path(__file__).parent
VALUES: Final = {
    "superior": "UBND tỉnh Đồng Nai",
    "agency": "UBND phường Bình Phước",
    "place": "Bình Phước",
    "number": "12/PXL-UBND",
    "day": "23",
    "month": "11",
    "year": "2026",
    "addressee": "Nguyễn Thị Hoa",
    "is_person": "yes",
    "code": "H19.45-261109-0012",
    "procedure": "Cấp giấy chứng nhận quyền sử dụng đất lần đầu",
    "received": "ngày 09 tháng 11 năm 2026",
    "due": "17 giờ 00, ngày 27 tháng 11 năm 2026",
    "passed": "",
    "reason": "chờ kết quả đo đạc, kiểm tra thực địa",
    "new_due": "17 giờ 00, ngày 04 tháng 12 năm 2026",
    "contact": "0271 3888 222",
    "title": "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH",
    "signer": "Trần Văn Mẫu",
    "check_url": "https://motcua.example.vn/v1/letters/" + "AaBbCcDdEe0" * 4,
}


def main() -> None:
    picture = asyncio.run(TypstLetters().png("apology_2025", VALUES))
    (HERE / "6-letter.png").write_bytes(picture)


if __name__ == "__main__":
    main()
