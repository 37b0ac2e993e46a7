"""The questions over UDP and their answers: golden bytes of real servers, what is no answer, and any bytes at all."""

from __future__ import annotations

import dataclasses
import re
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checker.catalog.ports import port_set, udp_ports
from checker.catalog.udp import udp_question, udp_question_ports
from checker.codecs import udp_dtls, udp_mdns, udp_netbios, udp_ntp, udp_rmcp, udp_snmp, udp_ssdp, udp_tftp
from checker.codecs.udp import TOKEN_BYTES, Asking, asking
from checker.model import UdpAnswer, UdpQuestion
from tests.codecs.helpers import JUNK
from tests.codecs.udp_answers import ADDRESS, ANSWERS, TOKEN

GOLDEN = [pytest.param(kind, data, answer, id=kind.value) for _, kind, data, answer in ANSWERS]
OTHER_TOKEN = bytes(range(101, 133))
# The answer to these repeats something of the question that is random.
BOUND = (UdpQuestion.SNMP, UdpQuestion.NTP, UdpQuestion.NETBIOS, UdpQuestion.MDNS, UdpQuestion.RMCP)
kinds = pytest.mark.parametrize("kind", list(UdpQuestion))


def question(kind: UdpQuestion, token: bytes = TOKEN) -> Asking:
    return asking(kind, token, address=ADDRESS, port=161)


def test_each_question_has_an_answer_of_a_real_server() -> None:
    assert {kind for _, kind, _, _ in ANSWERS} == set(UdpQuestion)


@pytest.mark.parametrize(("kind", "data", "answer"), GOLDEN)
class TestWhatARealServerAnswered:
    def test_is_read(self, kind: UdpQuestion, data: bytes, answer: UdpAnswer) -> None:
        assert question(kind).read(data) == answer

    def test_is_read_with_junk_behind_it(self, kind: UdpQuestion, data: bytes, answer: UdpAnswer) -> None:
        # But for TFTP, whose block of data would be longer for it, and whose error is not.
        assert question(kind).read(data + JUNK) == answer

    def test_is_no_answer_to_another_question(self, kind: UdpQuestion, data: bytes, answer: UdpAnswer) -> None:
        assert (question(kind, OTHER_TOKEN).read(data) is None) == (kind in BOUND)

    def test_is_no_answer_where_it_is_cut_off(self, kind: UdpQuestion, data: bytes, answer: UdpAnswer) -> None:
        least = {UdpQuestion.TFTP: 4, UdpQuestion.DTLS: 27, UdpQuestion.SSDP: data.find(b"rootdevice") + 10}
        for length in range(least.get(kind, min(len(data), 48))):
            assert question(kind).read(data[:length]) in (None, UdpAnswer())

    def test_is_not_what_another_protocol_says(self, kind: UdpQuestion, data: bytes, answer: UdpAnswer) -> None:
        for other in UdpQuestion:
            if other is not kind:
                assert question(other).read(data) is None


@kinds
@given(data=st.binary(max_size=600))
def test_no_bytes_raise(kind: UdpQuestion, data: bytes) -> None:
    check_bounds(question(kind).read(data))


@pytest.mark.parametrize(("kind", "golden", "answer"), GOLDEN)
@given(cuts=st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=4)), max_size=6), end=st.integers(0, 300))
def test_no_damage_to_an_answer_raises(
    kind: UdpQuestion, golden: bytes, answer: UdpAnswer, cuts: list[tuple[int, bytes]], end: int
) -> None:
    damaged = bytearray(golden)
    for offset, put in cuts:
        damaged[offset : offset + len(put)] = put
    check_bounds(question(kind).read(bytes(damaged[:end])))


def check_bounds(answer: UdpAnswer | None) -> None:
    """What is kept of an answer is numbers in their bounds and words of our own."""
    if answer is None:
        return
    for part in dataclasses.fields(answer):
        value = getattr(answer, part.name)
        assert value is None or isinstance(value, bool | int | tuple)
    assert all(re.fullmatch(r"_[a-z0-9-]+\._tcp|upnp:rootdevice", service) for service in answer.services)
    assert 0 <= (answer.enterprise or 0) < 1 << 32
    assert 0 <= (answer.names or 0) < 256
    assert 0 <= (answer.error_code or 0) <= 8


@kinds
@given(token=st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
def test_a_question_is_one_small_datagram_and_no_answer_to_itself(kind: UdpQuestion, token: bytes) -> None:
    asked = question(kind, token)

    assert asked.kind is kind
    assert 8 < len(asked.payload) < 200
    assert asked.read(asked.payload) is None


@kinds
def test_a_token_of_another_length_is_refused(kind: UdpQuestion) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        question(kind, TOKEN[:-1])


# ------------------------------------------------------------------------------------------------ what each one says


class TestSnmp:
    def test_the_discovery_is_that_of_the_standard(self) -> None:
        assert udp_snmp.discovery(TOKEN) == bytes.fromhex(
            "303e020103"  # a message of version 3
            "30110204010203040203"
            "00ffe3040104020103"  # id, largest size, reportable, user-based security
            "0410300e040002010002010004000400"
            "0400"  # no engine, no boots, no time, no user, nothing signed, nothing encrypted
            "30140400"
            "0400a00e0204010203040201000201003000"  # a Get of nothing
        )

    @given(st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
    def test_it_has_no_user_and_no_community(self, token: bytes) -> None:
        asked = udp_snmp.discovery(token)

        assert b"public" not in asked
        assert b"0\x0e\x04\x00\x02\x01\x00\x02\x01\x00\x04\x00\x04\x00\x04\x00" in asked

    @pytest.mark.parametrize("identifier", [b"", b"\x80\0\0\1", bytes(33)])
    def test_an_engine_id_of_a_length_that_there_is_not_is_no_answer(self, identifier: bytes) -> None:
        golden = next(data for _, kind, data, _ in ANSWERS if kind is UdpQuestion.SNMP)
        at = golden.index(b"\x04\x11\x80")
        data = bytearray(golden[:at] + b"\x04" + bytes([len(identifier)]) + identifier + golden[at + 19 :])
        for length in (1, at - 3, at - 1):  # of all, of what is between, and of the sequence
            data[length] += len(identifier) - 17

        assert udp_snmp.read(bytes(data), TOKEN) is None

    def test_the_shortest_engine_id_is_one(self) -> None:
        golden = next(data for _, kind, data, _ in ANSWERS if kind is UdpQuestion.SNMP)
        at = golden.index(b"\x04\x11\x80")
        data = bytearray(golden[:at] + b"\x04\x05\x80\0\0\x02\1" + golden[at + 19 :])
        for length in (1, at - 3, at - 1):
            data[length] -= 12

        assert udp_snmp.read(bytes(data), TOKEN) == UdpAnswer(enterprise=2)

    def test_an_old_engine_id_has_its_enterprise_number_too(self) -> None:
        golden = next(data for _, kind, data, _ in ANSWERS if kind is UdpQuestion.SNMP)
        # RFC 3411 section 5: where the first bit is zero, twelve bytes follow that the enterprise has defined itself.
        assert udp_snmp.read(golden.replace(b"\x80\x00\x1f\x88", b"\x00\x00\x00\x09"), TOKEN) == UdpAnswer(enterprise=9)

    def test_a_response_is_no_report(self) -> None:
        golden = next(data for _, kind, data, _ in ANSWERS if kind is UdpQuestion.SNMP)
        assert udp_snmp.read(golden.replace(b"\xa8\x1f", b"\xa2\x1f"), TOKEN) is None


class TestNtp:
    @given(st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
    def test_it_is_a_client_and_never_a_control_message(self, token: bytes) -> None:
        asked = udp_ntp.request(token)

        assert len(asked) == 48
        assert asked[0] == 0b00_100_011  # no warning, version 4, mode 3
        assert not any(asked[1:40])

    @pytest.mark.parametrize("mode", [0, 1, 2, 3, 5, 6, 7])
    def test_another_mode_is_no_answer(self, mode: int) -> None:
        golden = next(data for _, kind, data, _ in ANSWERS if kind is UdpQuestion.NTP)

        assert udp_ntp.read(bytes([golden[0] & 0xF8 | mode]) + golden[1:], TOKEN) is None

    def test_a_server_that_is_not_synchronised_says_so(self) -> None:
        data = bytes([0b11_100_100, 0]) + bytes(22) + TOKEN[:8] + bytes(16)

        assert udp_ntp.read(data, TOKEN) == UdpAnswer(version=4, stratum=0, leap=3)


class TestTftp:
    @given(st.binary(min_size=TOKEN_BYTES, max_size=TOKEN_BYTES))
    def test_it_reads_a_name_that_nobody_has_and_never_writes(self, token: bytes) -> None:
        assert re.fullmatch(rb"\x00\x01[0-9a-f]{24}\x00octet\x00", udp_tftp.read_request(token))

    def test_the_text_of_an_error_is_dropped(self) -> None:
        assert udp_tftp.read(b"\0\5\0\2Dr. Synthetic may not\0") == UdpAnswer(error_code=2)

    @pytest.mark.parametrize("size", [0, 1, 512])
    def test_data_is_told_of_and_told_to_stop(self, size: int) -> None:
        answer = udp_tftp.read(b"\0\3\0\1" + bytes(size))

        assert answer == UdpAnswer(gave_data=True)
        assert udp_tftp.parting(UdpAnswer(gave_data=True)) == b"\0\5\0\0\0"

    def test_an_error_has_no_answer(self) -> None:
        assert udp_tftp.parting(UdpAnswer(error_code=1)) is None

    @pytest.mark.parametrize(
        "data",
        [b"\0\3\0\2later", b"\0\3\0\1" + bytes(513), b"\0\4\0\0", b"\0\1x\0octet\0", b"\0\6blksize\0", b"\0\5\0\x09\0"],
    )
    def test_what_is_no_answer(self, data: bytes) -> None:
        assert udp_tftp.read(data) is None


class TestNetbios:
    def test_the_question_is_that_of_the_standard(self) -> None:
        name = b"CK" + b"A" * 30
        asked = udp_netbios.node_status(TOKEN)
        assert asked == TOKEN[:2] + b"\0\0\0\1\0\0\0\0\0\0" + b"\x20" + name + b"\0" + b"\0\x21\0\1"

    def test_a_count_that_the_answer_does_not_hold_is_no_answer(self) -> None:
        golden = bytearray(next(data for _, kind, data, _ in ANSWERS if kind is UdpQuestion.NETBIOS))
        golden[golden.index(b"\x07TEST")] = 10

        assert udp_netbios.read(bytes(golden), TOKEN) is None

    def test_a_name_that_is_a_pointer_is_passed_over(self) -> None:
        header = TOKEN[:2] + pack(">5H", 0x8400, 0, 1, 0, 0)
        record = b"\xc0\x0c" + pack(">HHIH", 0x21, 1, 0, 19) + b"\1" + bytes(18)

        assert udp_netbios.read(header + record, TOKEN) == UdpAnswer(names=1)


class TestDtls:
    def test_the_hello_offers_1_2_with_no_session_and_no_cookie(self) -> None:
        asked = udp_dtls.client_hello(TOKEN)

        assert asked[:13] == b"\x16\xfe\xff" + bytes(8) + (len(asked) - 13).to_bytes(2, "big")
        assert asked[13:25] == b"\1" + (len(asked) - 25).to_bytes(3, "big") + bytes(5) + (len(asked) - 25).to_bytes(
            3, "big"
        )
        assert asked[25:61] == b"\xfe\xfd" + TOKEN + b"\0\0"

    @pytest.mark.parametrize("chosen", [0xFEFD, 0xFEFF])
    def test_a_server_that_wants_no_cookie(self, chosen: int) -> None:
        body = pack(">H", chosen) + bytes(36)
        message = b"\2" + len(body).to_bytes(3, "big") + bytes(5) + len(body).to_bytes(3, "big") + body
        data = b"\x16\xfe\xfd" + bytes(8) + len(message).to_bytes(2, "big") + message
        answer = udp_dtls.read(data)

        assert answer == UdpAnswer(version=chosen, cookie=False)
        assert udp_dtls.parting(answer) == b"\x15" + pack(">H", chosen) + bytes(7) + b"\1\0\2\1\0"

    def test_an_alert_shows_that_dtls_is_spoken_and_needs_no_parting(self) -> None:
        answer = udp_dtls.read(b"\x15\xfe\xfd" + bytes(8) + b"\0\2\2\x28")

        assert answer == UdpAnswer(version=0xFEFD)
        assert udp_dtls.parting(answer) is None

    @pytest.mark.parametrize(
        "data",
        [
            b"\x15\x03\x03\0\2\2\x28" + bytes(20),  # TLS
            b"\x15\xfe\xfd\0\1" + bytes(6) + b"\0\2\2\x28",  # of a later epoch
            b"\x15\xfe\xfd" + bytes(8) + b"\0\2\7\x28",  # an alert of no level
            b"\x16\xfe\xfd" + bytes(8) + b"\0\x0e\1" + bytes(11) + b"\xfe\xfd",  # a ClientHello
        ],
    )
    def test_what_is_no_answer(self, data: bytes) -> None:
        assert udp_dtls.read(data) is None


class TestMdns:
    HEADER = TOKEN[:2] + b"\x84\0"
    META = b"\x09_services\x07_dns-sd\x04_udp\x05local\0"

    def test_it_asks_for_types_alone_and_by_unicast(self) -> None:
        assert udp_mdns.query(TOKEN) == TOKEN[:2] + b"\0\0\0\1\0\0\0\0\0\0" + self.META + b"\0\x0c\x80\1"

    def answer(self, *targets: bytes) -> bytes:
        records = b"".join(
            b"\xc0\x0c\0\x0c\0\1\0\0\0\x0a" + len(target).to_bytes(2, "big") + target for target in targets
        )
        return self.HEADER + pack(">4H", 1, len(targets), 0, 0) + self.META + b"\0\x0c\x80\1" + records

    def test_known_types_are_kept_and_others_dropped(self) -> None:
        data = self.answer(
            b"\x04_SSH\x04_tcp\x05local\0", b"\x09_jane-doe\x04_tcp\x05local\0", b"\x05_http\x04_tcp\x05local\0"
        )

        assert udp_mdns.read(data, TOKEN) == UdpAnswer(services=("_http._tcp", "_ssh._tcp"))

    @pytest.mark.parametrize("target", [b"\xc0\xff", b"\xc0", b"\x3f_x", b"\x80x\0", b"\xc0\x4c"])
    def test_a_name_that_leads_astray_is_no_answer(self, target: bytes) -> None:
        assert udp_mdns.read(self.answer(target), TOKEN) is None

    def test_an_answer_that_tells_no_type_is_that_of_something_else(self) -> None:
        assert udp_mdns.read(self.answer(), TOKEN) is None

    def test_an_error_is_no_answer(self) -> None:
        data = self.answer(b"\x04_ssh\x04_tcp\x05local\0")

        assert udp_mdns.read(data[:3] + b"\3" + data[4:], TOKEN) is None


class TestSsdp:
    def test_it_asks_the_one_device_for_its_root(self) -> None:
        assert udp_ssdp.search("2001:db8::7", 1900) == (
            b'M-SEARCH * HTTP/1.1\r\nHOST: [2001:db8::7]:1900\r\nMAN: "ssdp:discover"\r\nST: upnp:rootdevice\r\n\r\n'
        )

    def test_another_type_is_an_answer_and_is_not_kept(self) -> None:
        assert udp_ssdp.read(b"HTTP/1.1 200 OK\r\nst:urn:jane-doe:device:x:1\r\n\r\n") == UdpAnswer()

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 404 Not Found\r\nST: upnp:rootdevice\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"NOTIFY * HTTP/1.1\r\nST: upnp:rootdevice\r\n\r\n",
        ],
    )
    def test_what_is_no_answer(self, data: bytes) -> None:
        assert udp_ssdp.read(data) is None


class TestRmcp:
    def test_the_ping_is_that_of_the_standard(self) -> None:
        assert udp_rmcp.ping(TOKEN) == b"\x06\0\xff\x06\0\0\x11\xbe\x80\x01\0\0"

    def test_it_always_wants_an_answer(self) -> None:
        assert udp_rmcp.ping(b"\xff" * TOKEN_BYTES)[9] == 0xFE

    def test_a_controller_without_ipmi_says_so(self) -> None:
        data = b"\x06\0\xff\x06\0\0\x11\xbe\x40\x01\0\x10\0\0\x11\xbe" + bytes(4) + b"\x01" + bytes(7)

        assert udp_rmcp.read(data, TOKEN) == UdpAnswer(enterprise=4542, ipmi=False)


# ------------------------------------------------------------------------------------------------ which port is asked


def test_every_udp_port_of_every_set_has_a_question() -> None:
    assert set(udp_ports(("administration", "udp"))) <= set(udp_question_ports())
    assert {udp_question(port) for port in port_set("udp").udp} == set(UdpQuestion)


def test_a_port_that_is_not_known_has_no_question() -> None:
    assert udp_question(500) is None


def test_what_is_asked_by_default_is_tcp_alone() -> None:
    assert port_set("imaging").udp == ()
