"""The problems of the API in Chinese, for those whose `Accept-Language` prefers it.

Errors are written in English where they are raised; here stands each sentence with its Chinese one.
A hole, `{}`, takes what the English sentence has there; states of the workflow are words of their
own. A test finds each error of the API, and each recorded answer, in this table.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final, Literal

Language = Literal["zh", "en"]

_TITLES: Final[Mapping[int, str]] = {
    HTTPStatus.BAD_REQUEST: "请求有误",
    HTTPStatus.UNAUTHORIZED: "未认证",
    HTTPStatus.FORBIDDEN: "无权访问",
    HTTPStatus.NOT_FOUND: "未找到",
    HTTPStatus.METHOD_NOT_ALLOWED: "方法不允许",
    HTTPStatus.REQUEST_TIMEOUT: "请求超时",
    HTTPStatus.CONFLICT: "冲突",
    HTTPStatus.GONE: "已不存在",
    HTTPStatus.MISDIRECTED_REQUEST: "请求的地址不对",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "请求体过大",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "不支持的媒体类型",
    HTTPStatus.UNPROCESSABLE_ENTITY: "请求内容无法处理",
    HTTPStatus.TOO_MANY_REQUESTS: "请求过多",
    HTTPStatus.INTERNAL_SERVER_ERROR: "服务器内部错误",
    HTTPStatus.SERVICE_UNAVAILABLE: "服务暂不可用",
}
_SENTENCES: Final[Mapping[str, str]] = {
    # Of requests.
    "A parameter is missing, unknown or out of its bounds.": "参数缺失、未知或超出范围。",
    "A parameter is given more than once.": "有参数重复给出。",
    "There are more parameters than any route takes.": "参数过多。",
    "There is nothing at this path.": "该路径不存在。",
    "This path does not know that method.": "该路径不支持此方法。",
    "The body is not JSON in UTF-8.": "请求体不是 UTF-8 编码的 JSON。",
    "The body is too large.": "请求体过大。",
    "The body of this request has at most {} bytes.": "此请求的请求体最多 {} 字节。",
    "The body is JSON: say so, with `Content-Type: application/json`.": (
        "请求体为 JSON，请注明 `Content-Type: application/json`。"
    ),
    "The body of a request is sent as it is, without Content-Encoding.": (
        "请求体须原样发送，不得使用 Content-Encoding。"
    ),
    "The body says a member twice, or holds what JSON cannot; each with its path.": (
        "请求体中有成员重复，或有 JSON 无法表示的内容；逐项列出路径。"
    ),
    "A history has at most 10,000 steps: shorten it, or lengthen the step.": (
        "历史记录最多 10,000 步：请缩短时段或加大步长。"
    ),
    # Of the platform.
    "The platform failed to answer; the fault is in its log.": ("平台未能应答；故障已记入日志。"),
    "The platform is stopping; ask again.": "平台正在停止，请重试。",
    "The pages are not built: run `make setup`, and start the platform again.": (
        "页面尚未构建：请运行 `make setup` 后重新启动平台。"
    ),
    "The platform is not whole.": "平台未完整运行。",
    "The database cannot be reached at the moment.": "数据库暂时无法连接。",
    "As many streams run to this address as one client may read.": (
        "此地址的实时数据流已达单个客户端上限。"
    ),
    "Too many wrong keys came from this address; try again later.": (
        "此地址的错误密钥过多，请稍后再试。"
    ),
    "More comes from this address at a time than one client may ask.": (
        "此地址的请求过多，请稍后再试。"
    ),
    "This takes too long; ask for less at a time.": "处理时间过长，请减少每次请求的数量。",
    "This process has no city yet: it has just started, or the database is away.": (
        "本进程尚无城市数据：刚刚启动，或数据库不可用。"
    ),
    "Too much work is waiting at the moment.": "当前等待处理的工作过多。",
    "This process has as many readers of the stream as it takes.": ("本进程的实时流读者已达上限。"),
    "The API has no connection to the broker.": "接口未连接到消息代理。",
    "The API has not read the city yet.": "接口尚未读入城市数据。",
    "The ingester has not been heard from.": "入库程序没有消息。",
    "The ingester takes no messages: {}.": "入库程序不接收消息：{}。",
    "No lot is loaded yet.": "尚未载入停车场。",
    "{} of {} lots have not been heard from yet.": "{} 个停车场（共 {} 个）尚无消息。",
    # Of lots, feeds and people.
    "There is no such lot.": "没有该停车场。",
    "That lot is retired: only its history is kept.": "该停车场已停用：仅保留其历史记录。",
    "A closure begins at a time, and ends after it, or never.": (
        "暂停开放须有开始时间，且止于其后，或不设终止。"
    ),
    "There is no such operator.": "没有该经营者。",
    "The operator has no such gateway.": "该经营者没有此网关。",
    "There is no such gateway, or it is another operator's.": "没有该网关，或属于其他经营者。",
    "There is no such refused message, or it is another operator's.": (
        "没有该被拒消息，或属于其他经营者。"
    ),
    "There is no such person.": "没有该人员。",
    "There is a person of that id already.": "该编号的人员已存在。",
    "That person has no such key.": "该人员没有该密钥。",
    "That person does not have that role.": "该人员没有该角色。",
    "There is no such enrolment.": "没有该登记。",
    "That is not possible in the state that the enrolment is in.": "该登记的当前状态不允许此操作。",
    "The enrolment {} is {} already.": "登记 {} 已{}。",
    "That person has all these roles already.": "该人员已有这些角色。",
    "Whoever has asked for it, or agreed to it, has lost that role or all keys: begin anew.": (
        "发起人或确认人已失去相应角色或全部密钥：请重新发起。"
    ),
    "There is no such decision.": "没有该决定。",
    "That decision is confirmed, withdrawn or lapsed already.": "该决定已确认、撤回或失效。",
    "That decision is {} already.": "该决定{}。",
    "Whoever asked for it may not confirm it: that takes a second person.": (
        "提出者不得确认：须由第二人确认。"
    ),
    "That version is not suspended, or that is settled already.": "该版本未被暂停，或暂停已处理。",
    "The suspension of version {} of {} is {} already.": "{1} 第 {0} 版的暂停{2}。",
    "Version {} of {} is suspended already.": "{1} 第 {0} 版已暂停。",
    "A suspension of yours of that version lapsed without a second person; somebody else may.": (
        "您对该版本的暂停曾因无第二人确认而失效；须由他人暂停。"
    ),
    "Version {} of {} is {}: what is scheduled or in force can be suspended.": (
        "{1} 第 {0} 版{2}：仅可暂停待生效或已生效的版本。"
    ),
    "Whoever suspended it may not confirm that: it takes a second person.": (
        "暂停者不得自行确认：须由第二人确认。"
    ),
    "The tariff of that lot is suspended at entry: there is no price.": (
        "该停车场在入场时的收费标准已暂停：无价格。"
    ),
    "Version {} of {} is suspended at {}: {}": "{1} 第 {0} 版在 {2} 处于暂停：{3}",
    "There is no such enrolment, or its code is another, used up or too old.": (
        "没有该登记，或其验证码不符、已用尽或已过期。"
    ),
    "Who gets further roles shows the code and a key of their own, not a token.": (
        "增加角色须出示验证码和本人的密钥，令牌不可用。"
    ),
    "Nobody starts an enrolment of their own.": "任何人不得为自己发起登记。",
    "Whoever started an enrolment, or gets something by it, may not confirm it: that takes a "
    "second person.": "发起登记者及其对象不得确认该登记：须由第二人确认。",
    "Your roles do not allow this; nobody makes a key for another.": (
        "您的角色不允许此操作；任何人不得为他人生成密钥。"
    ),
    "That key is revoked, expired or replaced already.": "该密钥已被撤销、过期或替换。",
    "A key expires in the future, and not after the lifetime that the platform gives keys.": (
        "密钥的到期时间须在将来，且不得超过平台规定的有效期。"
    ),
    "This part of the API answers anyone: ask its office, and show keys, tokens, codes to it.": (
        "这是接口的公开部分，不查验身份；密钥、令牌与验证码请提交给管理部分。"
    ),
    "This needs `Authorization: Bearer` and an API key or a token of yours.": (
        "需要 `Authorization: Bearer` 以及您的 API 密钥或令牌。"
    ),
    "The key or token is unknown, revoked or expired.": "密钥或令牌未知、已撤销或已过期。",
    "This takes an API key itself, not a token that was made with one.": (
        "令牌须用 API 密钥换取，不能用另一令牌。"
    ),
    "Your roles do not allow this.": "您的角色无权进行此操作。",
    "Your roles do not allow this; it is for: {}.": "您的角色无权进行此操作；仅限：{}。",
    "Your roles do not allow this; it is another operator's.": (
        "您的角色无权进行此操作；它属于其他经营者。"
    ),
    "Your roles do not allow this; the keys are somebody else's.": (
        "您的角色无权进行此操作；密钥属于他人。"
    ),
    "This needs `Authorization: Basic` with a gateway's name and password.": (
        "需要 `Authorization: Basic` 以及网关的名称和密码。"
    ),
    "There is no such gateway, or its password is another.": "没有该网关，或密码不符。",
    "A gateway reports under its own name only.": "网关只能以自己的名称上报。",
    "Too many wrong passwords came for that gateway from this address; try again later.": (
        "该地址对该网关的错误密码过多，请稍后再试。"
    ),
    "Sixteen messages of this gateway wait for their acks already.": (
        "该网关已有十六条消息等待应答。"
    ),
    "The broker cannot be reached at the moment; send the message again.": (
        "消息代理暂时无法连接，请重发消息。"
    ),
    "No ack came in time; send the message again, which does no harm if it was applied.": (
        "未能及时收到应答，请重发消息；若已生效，重发无害。"
    ),
    # Of quotes.
    "A stay cannot be priced as it is asked for.": "无法按此请求计价。",
    "No tariff is in force for that lot at entry.": "入场时该停车场没有生效的收费标准。",
    "No tariff is in force for {} at {}.": "停车场 {} 在 {} 没有生效的收费标准。",
    "That version is not in force for that lot at entry.": "入场时该版本对该停车场未生效。",
    "Version {} of {} is not in force for {} at {}; version {} is.": (
        "第 {} 版收费标准 {} 对停车场 {} 在 {} 未生效；生效的是第 {} 版。"
    ),
    "The stay ends before it begins.": "离场时间早于入场时间。",
    "A stay lasts at most 366 days.": "一次停放最长 366 天。",
    "The stay is longer than 366 days.": "停放时间超过 366 天。",
    "The tariff takes too many steps for a stay of this length.": "按此停放时长计价步骤过多。",
    "This takes too many steps to price; ask for a shorter stay.": (
        "计价步骤过多，请缩短停放时间。"
    ),
    "The tariff does not know that class of vehicle.": "收费标准中没有该车型。",
    "Vehicle {} is none of {}.": "车型 {} 不在下列之中：{}。",
    "The tariff does not know what is granted.": "收费标准中没有该项优惠。",
    "Entitlement {} is not one of this tariff.": "优惠 {} 不属于此收费标准。",
    "Lots would lose their price; say `leaves_unpriced` if that is meant.": (
        "有停车场将失去价格；若确有此意，请给出 `leaves_unpriced`。"
    ),
    '{} would lose their price: `errors` names them. Say "leaves_unpriced": true if that is '
    "meant.{}": (
        '{0} 将失去价格，`errors` 列出其名称；若确有此意，请给出 "leaves_unpriced": true。'
    ),
    # Of tariffs, zones, price controls, mechanisms and the calendar.
    "The tariff is incomplete, contradictory or ambiguous: `errors` has every fault.": (
        "收费标准不完整、有矛盾或有歧义：`errors` 列出每一处。"
    ),
    "There is no such tariff, or no such version of it that is for you to see.": (
        "没有该收费标准，或没有您可查看的该版本。"
    ),
    "There is a tariff of that id already: draft a new version of it.": (
        "该编号的收费标准已存在：请起草新版本。"
    ),
    "The tariff would apply to zones or lots that are not there.": (
        "收费标准将适用于不存在的区域或停车场。"
    ),
    "That is not possible in the state that the version is in.": "该版本的状态不允许此操作。",
    "{} is {} already.": "{} 已经{}。",
    "{} is {}, no draft any more: draft a new version.": "{} {}，已非草稿：请起草新版本。",
    "{} is {}, not {}.": "{} {}，而非{}。",
    "{} is {}.": "{} {}。",
    "{} is not {}.": "{} 并未{}。",
    "Version {} of {} comes into force then or later: withdraw it first.": (
        "第 {} 版收费标准 {} 在该时间或之后生效：请先撤回。"
    ),
    "A version comes into force in the future, and ends after it begins.": (
        "版本须在将来生效，且止于生效之后。"
    ),
    "Another version would price the same zone and lot type, or lot, at the same time.": (
        "另一版本将在同一时间对同一区域和停车场类型或同一停车场计价。"
    ),
    "Drafters withdraw their own versions, until they are published.": (
        "起草人可在公布之前撤回自己的版本。"
    ),
    "A draft is changed and submitted by whoever drafted it.": "草稿由其起草人修改和提交。",
    "Whoever drafted or submitted it may not approve it: that takes a second person.": (
        "起草人或提交人不得批准：须由另一人批准。"
    ),
    "There is no such zone.": "没有该区域。",
    "There is no such zone in force at that time.": "该时间没有生效的该区域。",
    "There is no such draft of a zone.": "没有该区域草稿。",
    "There is a zone of that id already; a zone that is drawn anew gets a new id.": (
        "该编号的区域已存在；重新划定的区域使用新编号。"
    ),
    "That is not possible in the state that the zone is in.": "该区域的状态不允许此操作。",
    "The times do not fit.": "时间不相符。",
    "{} would begin in the past: draft it for a time ahead.": (
        "{} 的开始时间已过：请改为将来的时间。"
    ),
    "{} replaces {}, which is not in force when it begins.": (
        "{} 替代 {}，而后者在其开始时并未生效。"
    ),
    "A zone ends now or later, not in the past.": "区域只能在现在或以后终止。",
    "A zone ends after it begins, and no later than it would anyway.": (
        "区域须在开始之后终止，且不晚于原定时间。"
    ),
    "Drafters withdraw their own drafts of zones.": "起草人撤回自己的区域草稿。",
    "Two zones would be in force over the same ground at the same time.": (
        "两个区域将在同一时间覆盖同一地面。"
    ),
    "Two zones would be in force over the same ground at the same time. {} and {} share {} square "
    "metres from {} on.": ("两个区域将在同一时间覆盖同一地面：{} 与 {} 重叠 {} 平方米，自 {} 起。"),
    "There is no such price control.": "没有该价格管制。",
    "There is a price control of that id already.": "该编号的价格管制已存在。",
    "That price control is in force, or has ended, already.": "该价格管制已生效或已终止。",
    "A price control ends now or later, not in the past.": "价格管制只能在现在或以后终止。",
    "The tariff goes beyond the price control; `errors` has each clause that it breaks.": (
        "收费标准超出价格管制；`errors` 列出所违反的每一条。"
    ),
    "There is no such price mechanism that is for you to see.": "没有您可查看的该价格机制。",
    "There is a price mechanism of that id already.": "该编号的价格机制已存在。",
    "That is not possible in the state that the price mechanism is in.": (
        "该价格机制的状态不允许此操作。"
    ),
    "The price mechanism does not fit what is in force; `errors` has each reason.": (
        "该价格机制与生效的规定不符；`errors` 列出每一条理由。"
    ),
    "Another price mechanism moves the price of the same zone and lot type.": (
        "另一价格机制正在调整同一区域和停车场类型的价格。"
    ),
    "A mechanism keeps its id: it should be {}.": "价格机制的编号不变：应为 {}。",
    "Drafters retire their own mechanisms, until they are approved.": (
        "起草人可在批准之前停用自己的价格机制。"
    ),
    "There is no such review of that price mechanism.": "该价格机制没有该次评估。",
    "No tariff version can be drafted from that review.": "不能由该次评估起草收费标准版本。",
    "Review {} is not the newest: prices are held by that one.": (
        "第 {} 次评估不是最新的：价格以最新一次为准。"
    ),
    "From review {}, {} was drafted already.": "由第 {} 次评估已起草 {}。",
    "Since review {} another version has come into force.": "第 {} 次评估之后另有版本生效。",
    "Review {} proposes no change.": "第 {} 次评估未提出变动。",
    "That year's calendar is published already, and stays; a tariff may carry its own.": (
        "该年日历已公布，不再更改；收费标准可自带日历。"
    ),
    "The days do not make a year's calendar.": "所给日期不构成一年的日历。",
}
# What may stand in a hole.
_WORDS: Final[Mapping[str, str]] = {
    "a draft": "为草稿",
    "in review": "在审核中",
    "approved": "已批准",
    "published": "已公布",
    "withdrawn": "已撤回",
    "completed": "已完成",
    "confirmed": "已确认",
    "lapsed": "已失效",
    "resumed": "已恢复",
    "superseded": "已被取代",
    "retired": "已停用",
    "frozen": "已冻结",
    "held": "已保留",
    "a draft or approved": "草稿或已批准",
    "1 lot": "1 个停车场",
    "the messages of several gateways failed by a fault of ours": "因平台故障，多个网关的消息失败",
    "the platform's clock is behind those of several operators": "平台时钟慢于多个经营者的时钟",
}
_HOLE: Final = re.compile(r"\\\{\\\}")
_LOTS: Final = re.compile(r"(\d+) lots")
_PREFERENCE: Final = re.compile(r"^([a-z*]{1,8})(?:-[a-z0-9-]*)?(?:;q=([01](?:\.\d{0,3})?))?$")


def preferred(accept_language: str) -> Language:
    """Return the language that an `Accept-Language` prefers; English where it names neither."""
    best: tuple[float, Language] = (0.0, "en")
    for part in accept_language.lower().replace(" ", "").split(","):
        found = _PREFERENCE.match(part)
        if found is None:
            continue
        weight = float(found[2] or 1)
        language: Language = "zh" if found[1] == "zh" else "en"
        if found[1] in {"zh", "en", "*"} and weight > best[0]:
            best = weight, language
    return best[1]


def title_in_chinese(status: int) -> str | None:
    """Return the `title` of problems with a status; None where there is none."""
    return _TITLES.get(status)


@lru_cache(maxsize=256)
def in_chinese(detail: str) -> str | None:
    """Return a `detail` in Chinese; None where the table does not have it."""
    # What stands in a hole may be anything, so that a sentence before would be taken for it.
    found_whole = _SENTENCES.get(detail) or _each_in_chinese(detail)
    if found_whole is not None:
        return found_whole
    for pattern, text in _PATTERNS:
        found = pattern.fullmatch(detail)
        if found:
            return text.format(*map(_word, found.groups()))
    return None


def _each_in_chinese(detail: str) -> str | None:
    """Return several sentences in Chinese."""
    first, stop, rest = detail.partition(". ")
    if not stop:
        return None
    parts = in_chinese(f"{first}."), in_chinese(rest)
    return None if None in parts else "".join(filter(None, parts))


def _word(given: str) -> str:
    many = _LOTS.fullmatch(given)
    return f"{many[1]} 个停车场" if many else _WORDS.get(given, given)


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(_HOLE.sub("(.*?)", re.escape(sentence)))


# The most particular first: the more text, the fewer sentences fit.
_PATTERNS: Final = [
    (_pattern(sentence), text)
    for sentence, text in sorted(_SENTENCES.items(), key=lambda each: -len(each[0]))
    if "{}" in sentence
]
