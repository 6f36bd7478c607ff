/** 页面文字。英文在 `en.ts`：少一条则不能编译。 */

function age(seconds: number): string {
  if (seconds < 60) return `${Math.floor(seconds)} 秒前`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} 分钟前`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} 小时前`;
  return `${Math.floor(seconds / 86_400)} 天前`;
}

function length(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  if (hours === 0) return `${rest} 分钟`;
  return rest === 0 ? `${hours} 小时` : `${hours} 小时 ${rest} 分`;
}

function metres(m: number): string {
  return m < 1000 ? `${Math.round(m / 10) * 10} 米` : `${(m / 1000).toFixed(1)} 公里`;
}

export const zh = {
  title: "全市停车 · 空位",
  map: "停车场地图",
  zoomIn: "放大",
  zoomOut: "缩小",
  otherLanguage: "English",
  // 搜索
  search: "搜索地点、停车场",
  clear: "清除",
  nothingFound: (text: string) => `没有找到“${text}”`,
  kind: { place: "地点", district: "区市", lot: "停车场" },
  results: "搜索结果",
  // 停车时间
  now: "现在",
  arrival: "到达时间",
  arrivalIs: (time: string) => `到达：${time}`,
  stay: "停车时长",
  stayIs: (time: string) => `时长：${time}`,
  length,
  // 位置
  myPlace: "我的位置",
  asking: "正在定位…",
  denied: "未获准使用位置。可搜索地点，或在地图上点选。",
  noPlace: "暂时无法定位。可搜索地点，或在地图上点选。",
  thisPoint: "地图上的点",
  outside: "该位置在城区之外。",
  // 全市
  citySpaces: (free: string) => `全市空位 ${free}`,
  cityLots: (lots: string, capacity: string) => `${lots} 个停车场 · 共 ${capacity} 个车位`,
  unheard: (lots: string) => `其中 ${lots} 个暂无数据`,
  how: "搜索要去的地方，或在地图上点一下，即可看到最近的空位、步行距离和停车费用。",
  // 列表
  near: (name: string) => `${name}附近`,
  list: "附近的停车场",
  free: "空位",
  freeOf: (capacity: string) => `共 ${capacity}`,
  unknownNow: "暂不可知",
  full: "已满",
  closed: "关闭",
  closedUntil: (time: string) => `关闭至 ${time}`,
  filling: "将满",
  age,
  tooOld: (seconds: number) => `${age(seconds)}的数据，暂不可知`,
  never: "尚无数据",
  walk: (minutes: number, m: number) =>
    minutes > 60 ? metres(m) : `步行约 ${minutes} 分钟 · ${metres(m)}`,
  price: (minutes: number, money: string) => `停 ${length(minutes)} ${money}`,
  noPrice: "价格暂不可知",
  closesAt: (time: string) => `${time} 关闭`,
  none: (m: number) => `${metres(m)}内没有空位`,
  nearestIs: "最近的空位：",
  noneAtAll: (m: number) => `${metres(m)}内没有空位。`,
  back: "返回",
  // 停车场
  freeNow: "当前空位",
  total: (money: string) => `合计 ${money}`,
  navigate: "导航",
  maps: { amap: "高德地图", baidu: "百度地图", tencent: "腾讯地图", geo: "其他地图应用" },
  hours: "开放时间",
  allDay: "全天",
  maxHeight: (m: string) => `限高 ${m} 米`,
  chargers: (bays: string) => `充电车位 ${bays}`,
  accessible: (bays: string) => `无障碍车位 ${bays}`,
  notice: "收费公示",
  howPriced: "价格明细",
  quickTable: "停车时长与费用",
  provisional: "节假日安排公布后可能调整。",
  today: "今日空位",
  todayIs: (low: string, high: string) => `今日空位曲线：最少 ${low}，最多 ${high}`,
  usual: "往常同一天",
  noHistory: "暂无历史数据。",
  levels: "楼层",
  level: (level: number) => (level < 0 ? `地下 ${-level} 层` : `${level + 1} 层`),
  freeIs: (free: string) => `空位 ${free}`,
  share: "分享",
  copied: "链接已复制",
  types: {
    surface: "地面停车场",
    underground: "地下停车场",
    multi_storey: "停车楼",
    on_street: "路内停车",
  },
  // 状态
  loading: "正在载入…",
  connecting: "正在连接实时数据…",
  gone: (time: string) => `${time} 之后没有新数据，正在重新连接`,
  away: "平台暂时无法应答，正在重试。",
  offline: "设备未联网。",
  failed: "没有得到答复。",
  again: "重试",
  degraded: "数据库暂时不可用：空位为最近所知。",
  noWebGl: "此浏览器不能显示地图；搜索与列表仍可使用。",
  open: "展开",
  fold: "收起",
  // 地图
  lotsIn: (lots: string) => `${lots} 个停车场`,
  inTenThousands: (value: number) =>
    value < 10_000 ? String(value) : `${(value / 10_000).toFixed(value < 100_000 ? 1 : 0)}万`,
  legend: "图例",
  legends: {
    free: "有空位",
    filling: "将满",
    full: "已满",
    stale: "数据较旧",
    unknown: "不可知",
    closed: "关闭",
  },
  // 诱导屏
  sign: {
    title: "停车诱导屏",
    noLot: "没有这个停车场",
    retired: "已停用",
    notAnId: "编号有误",
    arrow: {
      left: "左",
      right: "右",
      up: "直行",
      down: "后方",
      "up-left": "左前",
      "up-right": "右前",
      "down-left": "左后",
      "down-right": "右后",
    },
    how: "在地址中写明停车场编号，编号后可加箭头：",
    more: "limit 为数据的最大时效（秒）；点按屏幕即全屏。",
  },
  // 运维
  operations: {
    title: "停车平台 · 运维",
    age: "最新提交距今",
    observations: "每秒入库的观测",
    live: "数据实时的停车场",
    silentLots: "无数据的停车场",
    ofLots: (lots: string) => `共 ${lots}`,
    seconds: (s: number) => `${s.toFixed(0)} 秒`,
    restartsHour: "一小时内的重启",
    notTold: "此处不得而知",
    hour: (least: string, most: string) => `最近一小时：${least} 至 ${most}`,
    between: (least: string, most: string) => `${least} – ${most}`,
    hourAgo: "一小时前",
    key: "密钥",
    signIn: "登录",
    askKey: "出示密钥，查看网关、停车场和被拒的消息。",
    notKept: "密钥只用来换取 15 分钟的令牌，不会保存；令牌只在本页内存中。",
    endsAt: (time: string) => `登录至 ${time}`,
    endsSoon: (time: string) => `登录将于 ${time} 结束：请再次出示密钥。`,
    ended: (time: string) => `登录已于 ${time} 结束：请再次出示密钥。`,
    signOut: "退出",
    noRole: "此密钥无权查看网关：需要运维或停车场经营者。",
    worst: "最严重的在前",
    map: "无数据的停车场位置",
    dot: (lot: string, gateway: string, isSilent: boolean) =>
      `${lot}（网关 ${gateway}）：${isSilent ? "无数据" : "数据较旧"}`,
    missing: (parts: readonly string[]) => `缺失：${parts.join("、")}。`,
    parts: {
      database: "数据库",
      broker: "消息代理",
      ingester: "接收程序",
      city: "城市数据",
    } as Partial<Record<string, string>>,
    programs: "程序",
    isUp: "运行中",
    isDown: "已停止，即将重启",
    restarts: (times: number) => `重启 ${times} 次`,
    nothing: "一切正常",
    nothingAt: (time: string) => `${time}：所有停车场都有实时数据，24 小时内没有被拒的消息。`,
    allSilent: (lots: number) => `全部 ${lots} 个停车场无数据`,
    silent: (silent: number, lots: number) => `${lots} 个停车场中 ${silent} 个无数据`,
    hidden: (spaces: string) => `影响 ${spaces} 个车位`,
    spaces: (spaces: string) => `${spaces} 个车位`,
    stale: (stale: number) => `${stale} 个数据较旧`,
    refusedCount: (count: number) => `24 小时内 ${count} 条消息被拒`,
    lastAt: (age: string) => `最近一次数据：${age}`,
    neverHeard: "从未有数据",
    refused: "被拒的消息",
    noRefused: "没有被拒的消息。",
    times: (times: number) => `${times} 次`,
    lots: "停车场",
    todo: "处理办法",
    todoAll: [
      "检查网关的电源和网络；它是否能连接平台的 MQTT 端口？",
      "网关的日志里有 401 或“not authorised”吗？用户名与网关编号一致，密码可由经营者重新签发。",
      "恢复后，网关应按每个停车场发送完整状态。",
    ],
    todoSome: [
      "网关在线，其余停车场有数据：检查这些停车场的传感器或出入口计数器。",
      "下面有被拒的消息吗？照其原因修改。",
    ],
    todoRefused: "网关在线：照下面每条消息的原因修改。",
    todoFine: "这个网关没有问题。",
    tryPush: "试发一条消息",
    tryHow: "把 PASSWORD 换成网关的密码；回答是平台的确认（ack）。",
    close: "关闭",
    reasons: {
      too_large: "消息超过 65,536 字节",
      malformed: "不是 UTF-8 或 JSON",
      invalid: "字段缺失、未知、重复、类型不符或超出范围",
      unknown_kind: "主题最后一段不是规定的四种",
      unknown_topic: "主题不在约定之内",
      unknown_gateway: "网关没有登记",
      unknown_lot: "停车场没有登记",
      foreign_lot: "停车场属于其他经营者",
      retired_lot: "停车场已停用，不再接收数据",
      wrong_kind: "该停车场的上报方式不同：计数与车位感应弄反了",
      capacity_mismatch: "快照的车位数多于登记数",
      out_of_range: "车位号或空位数超出登记的车位",
      observed_ahead: "网关时钟比平台快 5 分钟以上",
      epoch_ahead: "epoch 比平台时间快一天以上",
      internal: "平台自身的故障：消息已保留，由运维重放",
    } as Partial<Record<string, string>>,
  },
};

export type Texts = typeof zh;
