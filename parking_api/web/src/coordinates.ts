/**
 * Between WGS 84 and GCJ-02, the system of most maps that are published in China.
 *
 * The formulas and constants are those of `parking_api/coordinates.py`, which says where they are
 * from; a test holds the two to each other. Places are longitude and latitude, in degrees.
 */

export type At = [number, number];

// Krasovsky 1940: semi-major axis in metres, square of the first eccentricity.
const SEMI_MAJOR_M = 6_378_245;
const ECCENTRICITY_2 = 0.006_693_421_622_965_943;
/** Outside this box GCJ-02 is WGS 84: west, south, east, north. */
const CHINA = [72.004, 0.8293, 137.8347, 55.8271] as const;
const CENTRE = [105, 35] as const;
const CLOSE_ENOUGH_DEGREES = 1e-10;
const MOST_ROUNDS = 30;

export function toGcj02([longitude, latitude]: At): At {
  const [west, south, east, north] = CHINA;
  if (!(west <= longitude && longitude <= east && south <= latitude && latitude <= north)) {
    return [longitude, latitude];
  }
  const [eastM, northM] = shift(longitude - CENTRE[0], latitude - CENTRE[1]);
  const phi = (latitude * Math.PI) / 180;
  const curvature = 1 - ECCENTRICITY_2 * Math.sin(phi) ** 2;
  const primeVerticalM = SEMI_MAJOR_M / Math.sqrt(curvature);
  const meridianM = (SEMI_MAJOR_M * (1 - ECCENTRICITY_2)) / (curvature * Math.sqrt(curvature));
  return [
    longitude + (eastM * 180) / (primeVerticalM * Math.cos(phi) * Math.PI),
    latitude + (northM * 180) / (meridianM * Math.PI),
  ];
}

/** The place that `toGcj02` takes there: corrected by what it misses until it is there. */
export function fromGcj02([longitude, latitude]: At): At {
  let place: At = [longitude, latitude];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const [x, y] = toGcj02(place);
    const [missX, missY] = [longitude - x, latitude - y];
    place = [place[0] + missX, place[1] + missY];
    if (Math.max(Math.abs(missX), Math.abs(missY)) < CLOSE_ENOUGH_DEGREES) break;
  }
  return place;
}

/** How far a place is moved to the east and to the north, in metres. */
function shift(x: number, y: number): [number, number] {
  const wave = (of: number): number => Math.sin(of * Math.PI);
  const root = Math.sqrt(Math.abs(x));
  const common = 20 * wave(6 * x) + 20 * wave(2 * x);
  const alongX = 20 * wave(x) + 40 * wave(x / 3) + 150 * wave(x / 12) + 300 * wave(x / 30);
  const alongY = 20 * wave(y) + 40 * wave(y / 3) + 160 * wave(y / 12) + 320 * wave(y / 30);
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root;
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root;
  return [east + ((common + alongX) * 2) / 3, north + ((common + alongY) * 2) / 3];
}
