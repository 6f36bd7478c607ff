"""The demo as a user starts it: from an empty directory to answers, Ctrl-C, and a second start."""

import json
import os
import re
import shutil
import signal
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import SOCK_DGRAM, create_connection
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from deploy import broker as mosquitto
from deploy import postgres
from deploy.accounts import program
from tests.end_to_end.privacy import marks_kept, send_marked

ROOT = Path(__file__).resolve().parents[2]
# The fewest tens among which is a lot on the street in Jiaozhou, whose prices docs/bureau.md moves.
LOTS: Final = 70
READY_WITHIN_S: Final = 120.0
STOPPED_WITHIN_S: Final = 10.0
SERVICES: Final = {"database", "broker", "logins", "seal", "ingester", "api", "simulator"}


@dataclass(frozen=True)
class Demo:
    """A running demo, its output in a file."""

    process: subprocess.Popen[bytes]
    var: Path
    output: Path

    def run_file(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.var / "run.json").read_text())
        return content


def wait_for(check: Callable[[], bool], demo: Demo, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not check():
        assert demo.process.poll() is None, demo.output.read_text()
        assert time.monotonic() < deadline, demo.output.read_text()
        time.sleep(0.1)


@contextmanager
def begun(var: Path, *arguments: str) -> Iterator[Demo]:
    """Start a demo whose sensors never fail; should the test fail, end it all the same."""
    output = var.with_name("output")
    command = [sys.executable, "-m", "deploy", "demo", "--var", str(var)]
    command += ["--profile", "clean", *arguments]
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, process_group=0)
    demo = Demo(process, var, output)
    try:
        yield demo
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(20.0)


@contextmanager
def started(var: Path, *arguments: str) -> Iterator[Demo]:
    """Start a demo and wait until it serves."""
    with begun(var, *arguments) as demo:
        wait_for(lambda: "OneLot serves" in demo.output.read_text(), demo, READY_WITHIN_S)
        yield demo


def output_after_serving(demo: Demo) -> str:
    return demo.output.read_text().partition("OneLot serves")[2]


def stop(demo: Demo) -> None:
    """Press Ctrl-C, which reaches the demo's whole process group; hold it to its promises."""
    family = psutil.Process(demo.process.pid).children(recursive=True)
    named = set(demo.run_file()["processes"].values())
    assert named <= {process.pid for process in family}
    started_at = time.monotonic()
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.process.wait(STOPPED_WITHIN_S + 5.0) == 0, demo.output.read_text()
    assert time.monotonic() - started_at < STOPPED_WITHIN_S
    assert not [process for process in family if process.is_running()]
    assert not (demo.var / "run.json").exists()
    assert order_of_stops(demo.var) == [
        "simulator", "api", "ingester", "seal", "logins", "broker", "database",
    ]  # fmt: skip


def order_of_stops(var: Path) -> list[str]:
    log = (var / "logs/supervisord.log").read_text()
    return re.findall(r"stopped: (\w+)", log.rpartition("exit request")[2])


def get(url: str) -> dict[str, Any]:
    answer = httpx.get(url, timeout=5.0, trust_env=False)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def report_as_operator(demo: Demo) -> dict[str, Any] | None:
    """Report one bay with mosquitto's own client, as the demo's hint does; the ack, if it comes."""
    at = demo.run_file()["mqtt"]
    credentials = json.loads((demo.var / "credentials.json").read_text())["gateways"]
    gateway = next(one for one in credentials if one["username"] == "gw-try")
    assert not gateway["simulated"]
    topic = "onelot/v1/{}/gw-try/370202-0001"
    observed_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    report = {
        "epoch": int(time.time()),
        "seq": 1,
        "observed_at": observed_at,
        "occupied": [17],
    }
    command = [program("mosquitto_rr"), "-V", "5", "-q", "1", "-W", "10", "-i", "gw-try"]
    command += ["-h", at["host"], "-p", str(at["port"]), "-u", "gw-try", "-P", gateway["password"]]
    command += ["-t", topic.format("feeds") + "/spaces", "-e", topic.format("acks")]
    done = subprocess.run(
        [*command, "-m", json.dumps({**report, "free": [], "unknown": []})],
        capture_output=True,
        text=True,
        check=False,
    )
    ack: dict[str, Any] | None = None if done.returncode else json.loads(done.stdout)
    return ack


def is_applied(ack: dict[str, Any] | None) -> bool:
    return ack is not None and ack["result"] == "applied"


def check_answers(demo: Demo) -> None:
    http = demo.run_file()["http"]
    assert httpx.get(f"{http}/readyz", trust_env=False).status_code == 200
    city = get(f"{http}/v1/city")
    assert city["lots"] == LOTS
    assert city["live"] >= LOTS - 2
    nearest = get(f"{http}/v1/nearest?lon=120.32&lat=36.064&radius_m=20000&limit=5")
    distances = [lot["distance_m"] for lot in nearest["lots"]]
    assert distances
    assert distances == sorted(distances)
    assert all(lot["free_spaces"] >= 1 for lot in nearest["lots"])


def check_past(demo: Demo) -> None:
    """Eight weeks come by themselves, to the moment at which the live city began."""
    wait_for(lambda: demo.output.read_text().count("history: from ") == 2, demo, 120.0)
    http = demo.run_file()["http"]
    now = time.time() // 300 * 300
    for weeks in range(9):
        until = now - weeks * 7 * 86_400
        span = f"from={_utc(until - 86_400)}&to={_utc(until)}&step=1800"
        items = get(f"{http}/v1/lots/370202-0002/occupancy?{span}")["items"]
        # The newest steps are the live city's; of the last week's first day some hours are there.
        assert sum(item["coverage"] > 0.99 for item in items) >= (45 if weeks < 8 else 1), weeks
    assert not (demo.var / "history").exists()


def _utc(at_s: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_s))


def check_people(demo: Demo) -> None:
    http = demo.run_file()["http"]
    people = json.loads((demo.var / "credentials.json").read_text())["people"]
    roles = ["operator", "bureau_drafter", "bureau_approver", "operations"]
    assert [person["role"] for person in people] == roles
    assert people[0]["operator_id"] == "op-try"
    for person in people:
        headers = {"Authorization": f"Bearer {person['key']}"}
        made = httpx.post(f"{http}/v1/tokens", headers=headers, trust_env=False)
        assert made.status_code == 201, made.text
        headers = {"Authorization": f"Bearer {made.json()['token']}"}
        me = httpx.get(f"{http}/v1/people/me", headers=headers, trust_env=False).json()
        assert me["roles"] == [person["role"]]
    command = [sys.executable, "-m", "parking_api", "audit", "verify"]
    environment = {
        **os.environ,
        "DATABASE_URL": demo.run_file()["database_url"],
        "AUDIT_SEALS": str(demo.var / "seal/seals"),
        "AUDIT_KEY": str(demo.var / "seal/key"),
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sealed to entry" in done.stdout
    wait_for(lambda: "onelot_run_audit_sealed 1.0" in api_metrics(demo), demo, 15.0)
    for name in ("seals", "key"):
        assert stat.S_IMODE((demo.var / "seal" / name).stat().st_mode) == 0o600


def check_ports(demo: Demo) -> None:
    """Every port that the demo has open is one of these, and on loopback."""
    run = demo.run_file()
    configuration = (demo.var / "supervisord.conf").read_text()
    expected = {
        "postgres": {urlsplit(run["database_url"]).port},
        "mosquitto": {run["mqtt"]["port"], run["mqtts"]["port"]},
        "ingest_mqtt": {urlsplit(run["ingest_metrics"]).port},
        "parking_api": {urlsplit(run["http"]).port},
        "supervisord": {int(port) for port in re.findall(r"port=127.0.0.1:(\d+)", configuration)},
    }
    found: dict[str, set[int]] = {}
    for process in psutil.Process(demo.process.pid).children(recursive=True):
        words = " ".join(process.cmdline())
        for socket in process.net_connections(kind="inet"):
            if socket.status == psutil.CONN_LISTEN or socket.type == SOCK_DGRAM:
                assert socket.laddr.ip == "127.0.0.1", (words, socket)
                name = next((name for name in expected if name in words), words)
                found.setdefault(name, set()).add(socket.laddr.port)
    assert found == expected


def check_tls(demo: Demo) -> None:
    """Programs and strangers reach the broker by TLS, with the authority that run.json names."""
    at = demo.run_file()["mqtts"]
    context = ssl.create_default_context(cafile=at["ca"])
    with (
        create_connection((at["host"], at["port"])) as plain,
        context.wrap_socket(plain, server_hostname=at["host"]) as encrypted,
    ):
        assert encrypted.version() in {"TLSv1.2", "TLSv1.3"}
    for key in (demo.var / "tls/ca.key", demo.var / "broker/tls/server.key"):
        assert key.stat().st_mode & 0o777 == 0o600


def check_the_documents_commands(demo: Demo, home: Path) -> None:
    """Run what README.md and docs/ show, page by page, as it stands there: shell, then Python."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    texts = {page: page.read_text(encoding="utf-8") for page in pages}
    commands = {
        page: "".join(re.findall(r"```bash\n(.*?)```", text, re.DOTALL))
        + "".join(
            f".venv/bin/python - <<'EOF'\n{code}EOF\n"
            for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        )
        for page, text in texts.items()
    }
    assert "".join(commands.values()).count("ask $") > 10
    assert "".join(commands.values()).count("curl ") > 10
    for page, text in texts.items():
        assert "127.0.0.1" not in text, f"{page}: an address that the running demo may not have"
    prepare_home(demo, home)
    output = "".join(run_as_user(home, script) for script in commands.values() if script)
    assert "本标准适用于下列区域的道路泊位：台东。" in output
    assert "These rates apply to on-street berths in these zones: Taidong." in output
    assert output.count("青发改规〔2026〕12号\n") == 2
    # The history that the demo has made of itself: a review has seen all of its time.
    assert "of the time was seen: unchanged." not in output
    assert '"read_from"' in output
    check_posts(demo, output)
    versions = get(f"{demo.run_file()['http']}/v1/tariffs?tariff=taidong-road")["items"]
    assert [version["state"] for version in versions] == ["scheduled"]


def check_posts(demo: Demo, output: str) -> None:
    """The posts of README.md, by curl and by Python, were applied; so the lot's report came."""
    assert '"result":"applied"' in output
    assert '"closed_reason":"地面翻新 / Resurfacing"' in output
    assert re.search("ack: 200 .*'result': 'applied'", output), output[-4000:]
    operator = json.loads((demo.var / "credentials.json").read_text())["people"][0]["key"]
    headers = {"Authorization": f"Bearer {operator}"}
    http = demo.run_file()["http"]
    told = httpx.get(f"{http}/v1/feeds/gw-try", headers=headers, trust_env=False).json()
    assert [lot["transport"] for lot in told["items"]] == ["http", None]


def prepare_home(demo: Demo, home: Path) -> None:
    """Make what a user has: the project's files, its environment, and the running demo's var/."""
    for entry in ROOT.iterdir():
        if entry.name not in {"var", ".venv"}:
            (home / entry.name).symlink_to(entry)
    (home / "var").symlink_to(demo.var)
    python = home / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)


def run_as_user(home: Path, script: str) -> str:
    """Run one page's commands in a shell of their own; return what they print."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("curl -s ", "curl -sSf ")],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


def api_metrics(demo: Demo) -> str:
    return httpx.get(f"{demo.run_file()['http']}/metrics", timeout=5.0, trust_env=False).text


def number_of_restarts(demo: Demo) -> dict[str, int]:
    """The programs that were started again, and how often."""
    found = re.findall(r'onelot_run_restarts_total{program="(\w+)"} (\d+)', api_metrics(demo))
    return {name: int(number) for name, number in found}


def check_it_gets_up(demo: Demo) -> None:
    """Kill two programs, one of them with a garbled store: said everywhere, and all is well."""
    before = demo.run_file()["processes"]
    # A port that another program took meanwhile has already cost a service a start.
    restarts = number_of_restarts(demo)
    store = demo.var / "broker" / mosquitto.STORE
    os.kill(before["broker"], signal.SIGSTOP)
    store.write_bytes(b"not a store")
    for name in ("broker", "ingester"):
        os.kill(before[name], signal.SIGKILL)

    def are_back() -> bool:
        now = number_of_restarts(demo)
        return all(now[name] == restarts[name] + 1 for name in ("broker", "ingester"))

    wait_for(lambda: "onelot_run_broker_stores_put_aside 1.0" in api_metrics(demo), demo, 30.0)
    wait_for(are_back, demo, 30.0)
    # What came before the ingester was back is lost with the store: it is sent again.
    wait_for(lambda: is_applied(report_as_operator(demo)), demo, 60.0)
    after = demo.run_file()["processes"]
    assert set(after) == SERVICES
    assert {name for name in SERVICES if after[name] != before[name]} == {"broker", "ingester"}
    output = demo.output.read_text
    said = ", ".join(
        f"{name} {number}" for name, number in number_of_restarts(demo).items() if number
    )
    wait_for(lambda: f"restarts: {said}" in output(), demo, 15.0)
    assert "ingester has ended, by a signal: it starts again" in output()
    (aside,) = mosquitto.put_aside(demo.var / "broker")
    assert f"the broker could not read its store and runs without it; it is kept as {aside}" in (
        output()
    )


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's directory, kept between the two starts."""
    return tmp_path_factory.mktemp("demo") / "var"


def test_first_start_serves_the_city_and_ctrl_c_ends_it(var: Path, tmp_path: Path) -> None:
    with started(var, "--lots", str(LOTS)) as demo:
        content = demo.run_file()
        assert set(content["processes"]) == SERVICES
        assert content["database_url"].startswith("postgresql://onelot_app:")
        for name in ("credentials.json", "platform.json", "run.json"):
            assert stat.S_IMODE((var / name).stat().st_mode) == 0o600, name
        check_answers(demo)
        check_people(demo)
        check_ports(demo)
        check_tls(demo)
        assert is_applied(report_as_operator(demo))
        check_past(demo)
        check_the_documents_commands(demo, tmp_path)
        check_it_gets_up(demo)
        send_marked(demo.var)
        assert marks_kept(demo.var) == []
        wait_for(lambda: "obs/s | newest commit" in demo.output.read_text(), demo, 15.0)
        leave_an_older_state(demo)
        stop(demo)
    assert "\x1b" not in demo.output.read_text()


def leave_an_older_state(demo: Demo) -> None:
    """Leave what an older version left: a view and functions fewer, a message that killed it."""
    run = demo.run_file()
    # It neither acknowledges the message nor sees the schema change under it.
    os.kill(run["processes"]["ingester"], signal.SIGSTOP)
    publish(demo, "[")
    publish(demo, '{"epoch":"x",')
    as_owner(demo, "DROP VIEW space_now; DROP FUNCTION bay_state, closes_within")
    as_superuser(demo, "DROP OWNED BY onelot_seal; DROP ROLE onelot_seal")


def as_owner(demo: Demo, statements: str) -> str:
    """Run SQL as the database's owner; return what the last of it answers."""
    return _as(demo, "onelot", "database_owner", statements)


def as_superuser(demo: Demo, statements: str) -> str:
    """Run SQL as the cluster's superuser; return what the last of it answers."""
    return _as(demo, "postgres", "database_superuser", statements)


def _as(demo: Demo, user: str, password: str, statements: str) -> str:
    kept = json.loads((demo.var / "platform.json").read_text())
    url = re.sub("onelot_app:.*@", f"{user}:{kept[password]}@", demo.run_file()["database_url"])
    psql = [
        str(postgres.binaries() / "psql"),
        "-XAt",
        "-v",
        "ON_ERROR_STOP=1",
        url,
        "-c",
        statements,
    ]
    return subprocess.run(psql, capture_output=True, text=True, check=True).stdout.strip()


def publish(demo: Demo, payload: str) -> None:
    at = demo.run_file()["mqtt"]
    credentials = json.loads((demo.var / "credentials.json").read_text())["gateways"]
    password = next(one["password"] for one in credentials if one["username"] == "gw-try")
    command = [program("mosquitto_pub"), "-V", "5", "-q", "1", "-i", "gw-try", "-u", "gw-try"]
    command += ["-h", at["host"], "-p", str(at["port"]), "-P", password, "-m", payload]
    subprocess.run([*command, "-t", "onelot/v1/feeds/gw-try/370202-0001/spaces"], check=True)


def make_older(var: Path) -> None:
    """Change the files to those of an older version, whose demo was killed."""
    (var / "broker/broker.sh").unlink()
    (var / "run.prom").unlink()
    for name in ("tls", "broker/tls", "seal"):
        shutil.rmtree(var / name)
    (var / "broker/listeners/tls.conf").unlink()
    kept = json.loads((var / "platform.json").read_text())
    first = ("database_superuser", "database_owner", "mqtt_ingest", "mqtt_api")
    (var / "platform.json").write_text(json.dumps({name: kept[name] for name in first}))
    (var / "run.json").write_text('{"http": "http://127.0.0.1:1", "processes": {"broker": 1}}')
    (var / "supervisord.pid").write_text(f"{os.getpid()}\n")


def test_second_start_finds_its_data_again_also_an_older_versions(var: Path) -> None:
    credentials = (var / "credentials.json").read_text()
    make_older(var)
    with started(var) as demo:
        metrics = demo.run_file()["ingest_metrics"]
        refused = 'ingest_messages_total{result="rejected"} 2.0'
        wait_for(lambda: refused in httpx.get(metrics, trust_env=False).text, demo, 15.0)
        assert "import" not in demo.output.read_text()
        # Only the day on which it was stopped.
        wait_for(lambda: "history: from " in demo.output.read_text(), demo, 60.0)
        assert f"history: from {time.strftime('%Y-%m-%d', time.gmtime())} on" in (
            demo.output.read_text()
        )
        assert (var / "credentials.json").read_text() == credentials
        assert as_owner(demo, "SELECT count(*) > 0 FROM space_now") == "t"
        check_answers(demo)
        check_people(demo)
        check_tls(demo)
        stop(demo)


def test_a_start_without_its_credentials_recovers_the_people(var: Path) -> None:
    before = (var / "credentials.json").read_text()
    (var / "credentials.json").unlink()
    with started(var, "--no-history") as demo:
        check_people(demo)
        after = (var / "credentials.json").read_text()
        keys = {person["key"] for person in json.loads(before)["people"]}
        assert not any(key in after for key in keys)
        told = "SELECT count(*) FROM audit_entry WHERE action = 'recovery'"
        assert as_owner(demo, told) == "1"
        wait_for(lambda: "onelot_recoveries 1.0" in api_metrics(demo), demo, 15.0)
        stop(demo)
        assert "history" not in output_after_serving(demo)


def test_another_number_of_lots_is_refused(var: Path) -> None:
    command = [sys.executable, "-m", "deploy", "demo", "--var", str(var), "--lots", str(LOTS + 1)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "make clean" in done.stderr


def test_a_step_that_fails_stops_everything_and_shows_its_log(var: Path) -> None:
    lots = var / "city" / "lots.csv"
    whole = lots.read_text()
    lots.write_text(whole.replace("\n3702", "\nNO ID", 1))
    command = [sys.executable, "-m", "deploy", "demo", "--var", str(var)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        lots.write_text(whole)
    assert done.returncode == 1
    assert "failed at: import of the city" in done.stderr
    assert "lots.csv" in done.stderr
    assert "stopped in" in done.stdout
    assert not (var / "run.json").exists()
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(var) in str(p.info["cmdline"])]
