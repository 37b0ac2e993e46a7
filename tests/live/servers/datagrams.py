"""Servers of UDP from Debian, on loopback, each with no more than it needs to answer.

`port` asks for a port that is not free for all, on an address of its own in 127.0.0.0/8.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.live.certificates import TlsFiles
from tests.live.servers.process import LOOPBACK, Process, require, serving, unavailable

CHRONY_STRATUM = 3


@contextmanager
def snmpd(host: str = LOOPBACK, port: int | None = None) -> Iterator[Process]:
    """Net-SNMP's agent without a user and without a community: it answers nothing but the discovery of its engine."""
    binary = require("snmpd", "snmpd")

    def command(folder: Path, ports: tuple[int, ...]) -> Sequence[str | Path]:
        where = f"udp6:[{host}]:{ports[0]}" if ":" in host else f"udp:{host}:{ports[0]}"
        settings = folder / "snmpd.conf"
        settings.write_text(f"agentaddress {where}\n")
        return [binary, "-f", "-Lo", "-C", "-c", settings, "-I", "-smux", "-p", folder / "snmpd.pid"]

    environment = {"SNMP_PERSISTENT_DIR": "/nonexistent", "MIBS": ""}
    with serving(
        "snmpd",
        command,
        udp=True,
        ready="NET-SNMP version",
        environment=environment,
        fixed=() if port is None else (port,),
    ) as process:
        yield process


@contextmanager
def chronyd(host: str = LOOPBACK) -> Iterator[Process]:
    """A time server that never touches the clock of this machine, and has only that to offer."""
    binary = require("chronyd", "chrony")

    def command(folder: Path, ports: tuple[int, ...]) -> Sequence[str | Path]:
        settings = folder / "chrony.conf"
        settings.write_text(
            f"local stratum {CHRONY_STRATUM}\nallow 127.0.0.0/8\nbindaddress {host}\nport {ports[0]}\ncmdport 0\n"
            f"pidfile {folder / 'chronyd.pid'}\nbindcmdaddress /\n"
        )
        return [binary, "-d", "-x", "-U", "-u", pwd.getpwuid(os.geteuid()).pw_name, "-f", settings]

    with serving("chronyd", command, udp=True) as process:
        yield process


@contextmanager
def tftpd(host: str = LOOPBACK, port: int | None = None) -> Iterator[Process]:
    """A TFTP server with an empty folder. It answers from a port of its own for each request."""
    binary = require("in.tftpd", "tftpd-hpa")
    if os.geteuid() != 0:
        unavailable("tftpd-hpa needs root")

    def command(folder: Path, ports: tuple[int, ...]) -> Sequence[str | Path]:
        root = folder / "files"
        root.mkdir()
        return [binary, "-L", "-u", "nobody", "-a", f"{host}:{ports[0]}", "-s", root]

    with serving("tftpd", command, udp=True, fixed=() if port is None else (port,)) as process:
        yield process


@contextmanager
def ipmi_sim(host: str = LOOPBACK) -> Iterator[Process]:
    """OpenIPMI's simulator of a management controller, with one user who has no name."""
    binary = require("ipmi_sim", "openipmi")

    def command(folder: Path, ports: tuple[int, ...]) -> Sequence[str | Path]:
        (folder / "state").mkdir()
        (folder / "lan.conf").write_text(
            f'name "synthetic"\nset_working_mc 0x20\n  startlan 1\n    addr {host} {ports[0]}\n    priv_limit admin\n'
            "    allowed_auths_admin none\n    guid a123456789abcdefa123456789abcdef\n  endlan\n"
            '  user 1 true "" "synthetic" admin 10 none\n'
        )
        (folder / "commands").write_text(
            "mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02\nmc_enable 0x20\n"
        )
        files: list[str | Path] = ["-c", folder / "lan.conf", "-f", folder / "commands", "-s", folder / "state"]
        return [binary, *files, "-n"]

    with serving("ipmi_sim", command, udp=True) as process:
        yield process


@contextmanager
def dtls_server(files: TlsFiles, *options: str, host: str = LOOPBACK) -> Iterator[Process]:
    """OpenSSL's server of DTLS: it asks for a cookie, and then has a place for one client alone."""
    binary = require("openssl", "openssl")

    def command(_folder: Path, ports: tuple[int, ...]) -> Sequence[str | Path]:
        address = f"[{host}]:{ports[0]}" if ":" in host else f"{host}:{ports[0]}"
        given: list[str | Path] = ["-key", files.key, "-cert", files.certificate]
        return [binary, "s_server", "-dtls", "-accept", address, *given, *options]

    with serving("dtls", command, udp=True) as process:
        yield process
