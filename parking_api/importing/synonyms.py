"""Other names that real files have for the columns and their values.

Upper and lower case, full width, spaces, `_` and `-` make no difference. Where a name stands for
several columns, it is the first of them that the file can have.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Final

from parking_api.importing.faults import Faults

# docs/operators.md has this table too; a test holds the two together.
HEADERS: Final[Mapping[str, tuple[str, ...]]] = {
    "number": ("泊位号", "车位号", "泊位编号", "车位编号", "编号"),
    "lot_id": ("停车场编号", "车场编号", "停车场编码", "车场编码", "编号", "lot"),
    "gateway_id": ("网关编号", "网关", "设备编号", "编号"),
    "operator_id": ("经营者编号", "运营商编号", "运营单位编号", "编号"),
    "zone_id": ("价区编号", "收费区域编号", "编号"),
    "adcode": ("行政区划代码", "区划代码", "编号"),
    "district": ("行政区划代码", "区划代码"),
    "name": ("名称", "停车场名称", "车场名称"),
    "name_zh": ("中文名称", "中文名", "名称", "停车场名称", "车场名称"),
    "name_en": ("英文名称", "英文名"),
    "lot_type": ("停车场类型", "车场类型"),
    "land_use": ("用地类型", "用地性质", "配建类型"),
    "reporting": ("上报方式",),
    "report_interval_s": ("上报间隔", "上报间隔(秒)"),
    "capacity": ("泊位数", "车位数", "泊位总数", "车位总数", "总泊位数", "总车位数", "泊位数量"),
    "levels": ("层数", "楼层数"),
    "height_limit_m": ("限高", "限高(米)", "限高(m)"),
    "opens_at": ("开始营业时间", "营业开始时间", "开门时间"),
    "closes_at": ("结束营业时间", "营业结束时间", "关门时间"),
    "timezone": ("时区",),
    "closed_from": ("暂停开放开始时间", "停用开始时间", "关闭开始时间"),
    "closed_until": ("暂停开放结束时间", "停用结束时间", "关闭结束时间", "恢复开放时间"),
    "closed_reason": ("暂停开放原因", "停用原因", "关闭原因"),
    "retired": ("已停用", "是否停用", "已注销"),
    "longitude": ("经度", "lon", "lng"),
    "latitude": ("纬度", "lat"),
    "level": ("楼层", "所在楼层"),
    "space_class": ("泊位类型", "车位类型"),
    "zone_class": ("价区等级", "区域等级"),
    "valid_from": ("生效时间",),
    "valid_to": ("失效时间",),
    "simulated": ("模拟",),
}
VALUES: Final[Mapping[str, Mapping[str, str]]] = {
    "lot_type": {
        "路内": "on_street",
        "路侧": "on_street",
        "道路": "on_street",
        "地面": "surface",
        "露天": "surface",
        "地下": "underground",
        "地下室": "underground",
        "地下车库": "underground",
        "停车楼": "multi_storey",
        "立体": "multi_storey",
    },
    "land_use": {
        "医院": "hospital",
        "学校": "school",
        "景区": "scenic",
        "车站": "station",
        "商场": "mall",
        "市场": "market",
        "办公": "office",
        "写字楼": "office",
        "酒店": "hotel",
        "住宅": "housing",
        "小区": "housing",
        "工业": "industrial",
        "道路": "street",
    },
    "reporting": {"泊位": "bays", "计数": "count"},
    "space_class": {
        "标准": "standard",
        "普通": "standard",
        "无障碍": "accessible",
        "充电": "ev",
        "新能源": "ev",
        "大型": "large",
    },
    "simulated": {"是": "true", "否": "false"},
    "retired": {"是": "true", "否": "false"},
}
# People's own words, which stay as they are.
_WORDS: Final = ("name", "name_zh", "name_en", "closed_reason")
_HINTS: Final = 3


def plain_cell(field: str, text: str) -> str:
    """Return a cell in the characters and words of the import format.

    Full-width letters, digits and signs become ordinary ones, but in names; a Chinese value becomes
    the one that it stands for.
    """
    if field in _WORDS:
        return text
    plain = unicodedata.normalize("NFKC", text).strip()
    return VALUES.get(field, {}).get(plain, plain)


@cache
def _squeezed(label: str) -> str:
    return re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", label).lower())


def field_of(label: str, fields: Collection[str]) -> str | None:
    """Return which of the fields a column's name stands for; None for none of them."""
    squeezed = _squeezed(label)
    own = (field for field in fields if _squeezed(field) == squeezed)
    meant = (field for field, others in HEADERS.items() if field in fields and squeezed in others)
    return next(chain(own, meant), None)


def match_columns(
    file: str, row: int | None, labels: Iterable[str], fields: Collection[str], faults: Faults
) -> dict[str, str]:
    """Find what a file calls each field that it has.

    Args:
        file: The file's name.
        row: The row of its header; None where it has none.
        labels: The names of its columns; blank ones are passed over.
        fields: The fields that it may have.
        faults: Where it goes that two columns are the same field.

    Returns:
        The column's name by field.
    """
    columns: dict[str, str] = {}
    seen: set[str] = set()
    for label in labels:
        field = field_of(label, fields) if label else None
        if field is None:
            continue
        first = columns.setdefault(field, label)
        if field in seen:
            message = f"means the same as {first}: keep one"
            faults.give_up(
                file, row, label, "this column is there twice" if first == label else message
            )
        seen.add(field)
    return columns


def require_columns(
    file: str,
    row: int | None,
    columns: Mapping[str, str],
    required: Iterable[str],
    *,
    found: Iterable[str],
    faults: Faults,
) -> None:
    """Note each column that is missing, by what names it is known, and which there are.

    Args:
        file: The file's name.
        row: The row of its header; None where it has none.
        columns: What `match_columns` returned.
        required: The fields that it must have.
        found: The names of all its columns.
        faults: Where the faults go.
    """
    there = ", ".join(f"'{label}'" for label in found if label) or "none"
    for field in required:
        if field not in columns:
            hints = [label for label in HEADERS.get(field, ()) if label != "编号"][:_HINTS]
            hint = f" (or {' or '.join(hints)})" if hints else ""
            message = f"this column is missing{hint}; there are {there}"
            faults.give_up(file, row, field, message)
