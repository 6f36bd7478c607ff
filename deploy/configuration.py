"""supervisord's configuration, made from the services."""

import os
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.directory import Directory
from deploy.ports import LOOPBACK
from deploy.services import Service


@dataclass(frozen=True)
class Program:
    """A service as the supervisor starts it: `argv` wrapped for its user and directory."""

    service: Service
    argv: tuple[str, ...]


def _quoted(text: str) -> str:
    """Escape a value for the configuration: a percent sign would start a substitution."""
    return text.replace("%", "%%")


def _section(program: Program, priority: int, log: Path, directory: Path) -> str:
    service = program.service
    lines = {
        "command": _quoted(shlex.join(program.argv)),
        "directory": _quoted(str(directory)),
        "environment": ",".join(
            f'{name}="{_quoted(value)}"' for name, value in service.environment.items()
        ),
        "autostart": "false",
        "autorestart": "false",
        "priority": str(priority),
        # It runs from its first moment on, and ends once: whether it is well, and when it starts
        # again, is the keeper's.
        "startsecs": "0",
        "startretries": "0",
        "stopsignal": service.stop_signal,
        "stopwaitsecs": str(service.stop_wait_s),
        "redirect_stderr": "true",
        # supervisor 4.3 substitutes twice in this one.
        "stdout_logfile": _quoted(_quoted(str(log))),
        "stdout_logfile_maxbytes": "10MB",
        "stdout_logfile_backups": "2",
    }
    body = "\n".join(f"{name}={value}" for name, value in lines.items())
    return f"[program:{service.name}]\n{body}\n"


def configuration(
    programs: Iterable[Program], var: Directory, source: Path, port: int, password: str
) -> str:
    """Return supervisord's configuration.

    Args:
        programs: In the order in which they start.
        var: Where logs and the pid file go.
        source: The checkout, in which the Python programs run.
        port: Of supervisord's XML-RPC on loopback.
        password: Asked for there.
    """
    # Said on purpose: the servers that must not run as root change their user by themselves.
    as_root = "user=root\n" if os.geteuid() == 0 else ""
    general = f"""\
[supervisord]
{as_root}nodaemon=true
pidfile={_quoted(str(var.supervisor_pid))}
logfile={_quoted(str(var.log("supervisord")))}
logfile_maxbytes=1MB
logfile_backups=1
loglevel=info

[inet_http_server]
port={LOOPBACK}:{port}
username=onelot
password={password}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

"""
    sections = [
        _section(program, 10 * number, var.log(program.service.name), source)
        for number, program in enumerate(programs, start=1)
    ]
    return general + "\n".join(sections)
