"""The names of TLS alerts, for whoever reads a reason. Data."""

from __future__ import annotations

# RFC 8446 section 6 and the registry "TLS Alerts": those that a hello may meet.
_ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    40: "handshake_failure",
    42: "bad_certificate",
    43: "unsupported_certificate",
    46: "certificate_unknown",
    47: "illegal_parameter",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    109: "missing_extension",
    110: "unsupported_extension",
    112: "unrecognized_name",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}


def alert_name(code: int) -> str:
    """The name of an alert with its code, such as `protocol_version (70)`."""
    return f"{_ALERTS.get(code, 'unknown alert')} ({code})"
