/** Addresses by which map apps begin a drive to a place. */

export type MapApp = "amap" | "baidu" | "tencent" | "geo";

/**
 * The apps' addresses; those of China's maps only once their coordinates are known.
 *
 * @param name - of the place
 * @param wgs84 - longitude and latitude
 * @param gcj02 - the same in the system of China's maps
 */
export function mapLinks(
  name: string,
  wgs84: readonly number[],
  gcj02: readonly number[] | null,
): { app: MapApp; address: string }[] {
  const called = encodeURIComponent(name);
  const [lon = 0, lat = 0] = wgs84;
  const geo = { app: "geo" as const, address: `geo:${lat},${lon}?q=${lat},${lon}(${called})` };
  if (gcj02 === null) return [geo];
  const [x = 0, y = 0] = gcj02;
  return [
    {
      app: "amap",
      address: `https://uri.amap.com/navigation?to=${x},${y},${called}&mode=car&coordinate=gaode`,
    },
    {
      app: "baidu",
      address:
        `https://api.map.baidu.com/direction?destination=latlng:${y},${x}|name:${called}` +
        "&coord_type=gcj02&mode=driving&output=html&src=onelot",
    },
    {
      app: "tencent",
      address: `https://apis.map.qq.com/uri/v1/routeplan?type=drive&to=${called}&tocoord=${y},${x}`,
    },
    geo,
  ];
}
