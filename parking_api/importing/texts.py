"""Files as text: which encoding they are in, and what is wrong where they cannot be read."""

import codecs
import gzip
import re
import zlib
from pathlib import Path
from typing import Final, Literal, get_args

from parking_api.importing.faults import Faults, shown

Encoding = Literal["utf-8", "gbk", "gb18030", "big5", "latin-1"]
ENCODINGS: Final[tuple[Encoding, ...]] = get_args(Encoding)
# Python's codec of each. GB18030 has all of GBK; what Windows calls Latin-1 is its page 1252.
_CODECS: Final[dict[Encoding, str]] = {
    "utf-8": "utf-8-sig",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5hkscs",
    "latin-1": "cp1252",
}
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Latin letters that are read as GBK give rare characters; Chinese text has few of them.
_COMMON_SHARE: Final = 0.9
# A few bytes may unpack to any number of them.
_MOST_UNPACKED: Final = 200_000_000


def read_text(path: Path, faults: Faults, encoding: Encoding = "utf-8") -> str | None:
    """Return the text of a file.

    Args:
        path: The file.
        faults: Where the reason goes if it is not text, and a note if it is not UTF-8.
        encoding: What it is in if it is not UTF-8; UTF-16 is known by its first bytes.

    Returns:
        The text without a byte order mark; None, with the reason noted, if there is none.
    """
    data = _read_bytes(path, faults)
    if data is None:
        return None
    text = _decoded(path.name, data, faults, encoding)
    if text is not None and not text.strip():
        faults.give_up(path.name, None, None, "this file is empty")
        return None
    if text is not None and "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        faults.give_up(path.name, None, None, f"holds a NUL character in line {line}")
        return None
    return text


def _read_bytes(path: Path, faults: Faults) -> bytes | None:
    is_packed = path.suffix.lower() == ".gz"
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file:
            data = file.read(_MOST_UNPACKED + 1) if is_packed else file.read()
    except FileNotFoundError:
        faults.give_up(path.name, None, None, "this file is missing")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        faults.give_up(path.name, None, None, f"is no whole gzip file: {error}")
    except OSError as error:
        faults.give_up(path.name, None, None, f"cannot be read: {error.strerror}")
    else:
        if not is_packed or len(data) <= _MOST_UNPACKED:
            return data
        faults.give_up(path.name, None, None, f"unpacks to more than {_MOST_UNPACKED:,} bytes")
    return None


def _decoded(file: str, data: bytes, faults: Faults, encoding: Encoding) -> str | None:
    if data.startswith(_UTF_16):
        return _read_as("utf-16", "UTF-16", file, data, faults)
    try:
        return data.decode(_CODECS["utf-8"])
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            return _read_as(_CODECS[encoding], encoding.upper(), file, data, faults)
        sample = _gbk_sample(data)
        advice = f"; it reads as GBK, such as {shown(sample)}: give --encoding gbk"
        if sample is None:
            advice = f": save it as UTF-8, or give --encoding ({', '.join(ENCODINGS[1:])})"
        faults.give_up(file, None, None, f"is not UTF-8 ({_where(data, error)}){advice}")
        return None


def _read_as(codec: str, name: str, file: str, data: bytes, faults: Faults) -> str | None:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        other = "" if codec == "utf-16" else "neither UTF-8 nor "
        faults.give_up(file, None, None, f"is {other or 'not '}{name} ({_where(data, error)})")
        return None
    faults.note(file, f"is read as {name}")
    return text


def _where(data: bytes, error: UnicodeDecodeError) -> str:
    line = data.count(b"\n", 0, error.start) + 1
    return f"byte 0x{data[error.start]:02x} in line {line}"


def _gbk_sample(data: bytes) -> str | None:
    """Return the first words beyond ASCII if the bytes look like Chinese in GBK, else None."""
    try:
        text = data.decode(_CODECS["gbk"])
    except UnicodeDecodeError:
        return None
    words: list[str] = re.findall(r"[^\x00-\x7f]+", text)
    letters = "".join(words)
    # Two bytes for each character of GB 2312, which has the common ones.
    common = len(letters.encode("gb2312", "ignore")) / 2
    return words[0] if common >= _COMMON_SHARE * len(letters) else None
