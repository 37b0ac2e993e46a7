"""Answers as real servers gave them to our questions, made with `TOKEN`; their names and addresses are synthetic."""

from __future__ import annotations

from checker.model import UdpAnswer, UdpQuestion

TOKEN = bytes(range(1, 33))
ADDRESS = "192.0.2.7"

_SSDP = """HTTP/1.1 200 OK
CACHE-CONTROL: max-age=120
ST: upnp:rootdevice
USN: uuid:12345678-1234-1234-1234-123456789abc::upnp:rootdevice
EXT:
SERVER: Linux/1 UPnP/1.1 Test/1
LOCATION: http://192.0.2.7:1234/root.xml

"""

ANSWERS: tuple[tuple[str, UdpQuestion, bytes, UdpAnswer], ...] = (
    (
        "Net-SNMP 5.9.3 snmpd, without any user",
        UdpQuestion.SNMP,
        bytes.fromhex(
            "30710201033011020401020304020300ffe30401000201030421301f041180001f8880f3c53a508b52066b0000000002010102010204"
            "00040004003036041180001f8880f3c53a508b52066b000000000400a81f0204010203040201000201003011300f060a2b060106030f"
            "01010400410101"
        ),
        UdpAnswer(enterprise=8072),
    ),
    (
        "chrony 4.3, as a local source of stratum 3",
        UdpQuestion.NTP,
        bytes.fromhex(
            "240300e600000000000000007f7f0101eeb0d10ad0c87c1e0102030405060708eeb0d10cc49ee539eeb0d10cc4a4d91c"
        ),
        UdpAnswer(version=4, stratum=3, leap=0),
    ),
    (
        "tftpd-hpa 5.2, with an empty folder",
        UdpQuestion.TFTP,
        bytes.fromhex("0005000146696c65206e6f7420666f756e6400"),
        UdpAnswer(error_code=1),
    ),
    (
        "Samba 4.17 nmbd",
        UdpQuestion.NETBIOS,
        bytes.fromhex(
            "01028400000000010000000020434b41414141414141414141414141414141414141414141414141414141414100002100010000000000"
            "ad07544553544e4f444520202020202020000400544553544e4f444520202020202020030400544553544e4f4445202020202020202004"
            "0001025f5f4d5342524f5753455f5f020184005445535447524f55502020202020200084005445535447524f55502020202020201d0400"
            "5445535447524f55502020202020201e840000000000000000000000000000000000000000000000000000000000000000000000000000"
            "000000000000000000"
        ),
        UdpAnswer(names=7),
    ),
    (
        "OpenSSL 3.0 s_server -dtls, to a hello without a cookie",
        UdpQuestion.DTLS,
        bytes.fromhex(
            "16feff00000000000000000023030000170000000000000017feff143f954960b81e5bfdee88bdd0a438b5f0efbebb2d"
        ),
        UdpAnswer(version=0xFEFF, cookie=True),
    ),
    (
        "Avahi 0.8, which announces its workstation",
        UdpQuestion.MDNS,
        bytes.fromhex(
            "010284000001000100000000095f7365727669636573075f646e732d7364045f756470056c6f63616c00000c8001c00c000c0001000000"
            "0a00140c5f776f726b73746174696f6e045f746370c023"
        ),
        UdpAnswer(services=("_workstation._tcp",)),
    ),
    (
        "minissdpd 1.6, for a root device",
        UdpQuestion.SSDP,
        _SSDP.replace("\n", "\r\n").encode("ascii"),
        UdpAnswer(services=("upnp:rootdevice",)),
    ),
    (
        "OpenIPMI 2.0.33 ipmi_sim",
        UdpQuestion.RMCP,
        bytes.fromhex("0600ff06000011be40010010000011be000000008100000000000000"),
        UdpAnswer(enterprise=4542, ipmi=True),
    ),
)
