/** Addresses by which map apps begin a drive to a place. */

import { toGcj02 } from "../coordinates";

export type MapApp = "amap" | "baidu" | "tencent" | "geo";

/**
 * The apps' addresses, each with the place in the app's own coordinates.
 *
 * @param name - of the place
 * @param wgs84 - longitude and latitude
 */
export function mapLinks(
  name: string,
  wgs84: readonly [number, number],
): { app: MapApp; address: string }[] {
  // Brackets end the name in `geo:`, and commas the place of Amap, also where they are escaped.
  const called = encodeURIComponent(name.replace(/\s*[(),|]+\s*/g, " ").trim());
  const [lon, lat] = wgs84;
  const [x, y] = toGcj02([lon, lat]).map((degrees) => degrees.toFixed(6));
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
    { app: "geo", address: `geo:${lat},${lon}?q=${lat},${lon}(${called})` },
  ];
}
