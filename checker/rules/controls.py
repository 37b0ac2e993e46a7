"""Controls of the frameworks, grouped by what a rule is about. "Evidence relevant to", never "compliant".

Sources: 45 CFR part 164 subpart C; NIST SP 800-53 revision 5; NIST CSF 2.0; IEC 62443-3-3; DICOM PS3.15.
"""

from __future__ import annotations

from checker.model import Control


def _controls(hipaa: str, nist: str, csf: str = "") -> tuple[Control, ...]:
    rows = {"HIPAA": hipaa, "NIST SP 800-53r5": nist, "NIST CSF 2.0": csf}
    return tuple(Control(framework, item) for framework, items in rows.items() for item in items.split())


# Every check of a configuration is itself evidence for risk analysis, evaluation and monitoring.
EVERY = _controls("164.308(a)(1)(ii)(A) 164.308(a)(1)(ii)(B) 164.308(a)(8)", "RA-5 CA-7")


def _group(hipaa: str, nist: str, csf: str, *others: Control) -> tuple[Control, ...]:
    return (*_controls(hipaa, nist, csf), *others, *EVERY)


CLEARTEXT_DICOM = _group(
    "164.312(e)(1) 164.312(e)(2)(i) 164.312(e)(2)(ii)", "SC-8 SC-8(1)", "PR.DS-02", Control("DICOM PS3.15", "B.12")
)
WEAK_TLS = _group(
    "164.312(e)(2)(ii)",
    "SC-8(1) SC-13",
    "PR.DS-02",
    Control("NIST SP 800-52r2", "3.1"),
    Control("DICOM PS3.15", "B.12"),
    Control("DICOM PS3.15", "B.13"),
)
CERTIFICATE = _group("164.312(d) 164.312(e)(1)", "SC-17 SC-23 IA-5(2)", "PR.AA-03", Control("NIST SP 800-52r2", "3.2"))
CLIENT_CERTIFICATE = _group("164.312(d)", "IA-3 IA-3(1)", "PR.AA-03", Control("IEC 62443-3-3", "SR 1.2"))
UNKNOWN_AE = _group("164.312(a)(1) 164.312(d)", "IA-3 AC-3", "PR.AA-03 PR.AA-05", Control("IEC 62443-3-3", "SR 1.2"))
ANONYMOUS_QUERY = _group(
    "164.312(a)(1) 164.312(b) 164.312(d)", "AC-3 AC-14 AU-2", "PR.AA-05", Control("HICP", "practice 9")
)
OPEN_VIEWER = _group(
    "164.312(a)(1) 164.312(a)(2)(i) 164.312(d)",
    "AC-3 AC-14 IA-2",
    "PR.AA-03 PR.AA-05",
    Control("HPH CPG", "unique credentials"),
)
OPEN_DICOMWEB = _group("164.312(a)(1) 164.312(d)", "AC-3 IA-9", "PR.AA-05", Control("HICP", "practice 9"))
CLEARTEXT_LOGIN = _group("164.312(d) 164.312(e)(1) 164.312(e)(2)(ii)", "IA-5(1) SC-8(1)", "PR.DS-02")
CLEARTEXT_WEB = _group("164.312(e)(1) 164.312(e)(2)(ii)", "SC-8 SC-8(1)", "PR.DS-02")
SESSION = _group("164.312(d) 164.312(e)(1)", "SC-23 SC-8", "PR.AA-03 PR.DS-02")
DISCLOSURE = _group("164.312(a)(1)", "AC-3 CM-7", "PR.AA-05 PR.PS-01")
UNEXPECTED_PORT = _group("164.312(a)(1)", "CM-7 SC-7 CM-8", "PR.PS-01 PR.IR-01", Control("IEC 62443-3-3", "SR 7.7"))
FROM_OUTSIDE = _group(
    "164.312(a)(1) 164.312(e)(1)",
    "SC-7 SC-7(5) AC-4 AC-17",
    "PR.IR-01",
    Control("HICP", "practice 6"),
    Control("IEC 62443-3-3", "SR 5.1"),
    Control("NIST SP 1800-24", "SC-7"),
)
CLEARTEXT_MANAGEMENT = _group("164.312(d) 164.312(e)(1)", "AC-17(2) CM-7 MA-4(6)", "PR.DS-02 PR.PS-01")
INVENTORY = _group("164.310(d)(1)", "CM-8", "ID.AM-01")
