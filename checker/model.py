"""The words of the product, as frozen values that pass between its stages.

This module imports nothing of the project and does nothing but hold facts. An `Observation` is an envelope around
`Facts`: one small dataclass for each kind of question that a probe asks. Facts never hold a response body, an
identifier of a patient, or anything else that a device keeps about people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Literal, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"


class Status(StrEnum):
    """What a rule concludes. Silence, errors and refusals to answer are never `pass`."""

    PASS = "pass"  # noqa: S105 - a status, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"
    ERROR = "error"


class Severity(StrEnum):
    """How much a failure matters, least first."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info to 4 for critical."""
        return _SEVERITIES.index(self)

    def raised(self) -> Severity:
        """One step higher; critical stays the top."""
        return _SEVERITIES[min(self.rank + 1, len(_SEVERITIES) - 1)]


_SEVERITIES = list(Severity)


class Role(StrEnum):
    """What an asset is for."""

    ARCHIVE = "archive"
    MODALITY = "modality"
    VIEWER = "viewer"
    WORKSTATION = "workstation"
    GATEWAY = "gateway"
    PRINTER = "printer"
    OTHER = "other"


class ServiceKind(StrEnum):
    """What a declared service speaks."""

    DICOM = "dicom"
    DICOM_TLS = "dicom-tls"
    WEB = "web"
    DICOMWEB = "dicomweb"
    SYSLOG_TLS = "syslog-tls"
    LDAPS = "ldaps"


# ---------------------------------------------------------------------------------------------------- the inventory


class Depth(StrEnum):
    """How much is asked of TLS."""

    POLICY = "policy"  # what should be refused, and no more
    FULL = "full"  # everything that a server accepts


@dataclass(frozen=True, slots=True)
class Service:
    """A declared service of an asset. `port` is always known: for web kinds it follows from the URL.

    `registered_ae_title`: a calling AE title that a DICOM service knows, for showing that it tells callers apart.
    """

    kind: ServiceKind
    port: int
    ae_title: str | None = None
    url: str | None = None
    profile: str | None = None
    client_certificate: Literal["not-asked", "optional", "required"] | None = None
    registered_ae_title: str | None = None

    @property
    def host(self) -> str | None:
        """The host that the URL names, in lower case, without brackets; None for DICOM kinds."""
        if self.url is None:
            return None
        rest = self.url.split("://", 1)[1].split("/", 1)[0]
        if rest.startswith("["):
            return rest[1:].split("]", 1)[0].lower()
        return rest.rsplit(":", 1)[0].lower() if ":" in rest else rest.lower()

    @property
    def speaks_tls(self) -> bool:
        """Whether the inventory declares TLS for this service."""
        if self.url is not None:
            return self.url.lower().startswith("https://")
        return self.kind in (ServiceKind.DICOM_TLS, ServiceKind.SYSLOG_TLS, ServiceKind.LDAPS)

    @property
    def is_dicom(self) -> bool:
        """Whether associations are asked of this service."""
        return self.kind in (ServiceKind.DICOM, ServiceKind.DICOM_TLS)

    @property
    def is_web(self) -> bool:
        """Whether HTTP requests are asked of this service."""
        return self.kind in (ServiceKind.WEB, ServiceKind.DICOMWEB)


@dataclass(frozen=True, slots=True)
class AssetManners:
    """How this device wants to be treated. `gap_s` in seconds; `quiet_hours` in the local time of the machine.

    `max_pending`: so many of its ports may be asked at once whether they take connections.
    """

    max_connections: int = 120
    gap_s: float = 0.05
    quiet_hours: tuple[time, time] | None = None
    passive: bool = False
    max_pending: int = 8


@dataclass(frozen=True, slots=True)
class Asset:
    """A device or server that we own. `addresses` are canonical texts; empty only where a host name is given.

    `canaries`: the further DICOM questions that the inventory opts in to, of `OPT_IN_CANARIES`.
    """

    id: str
    name: str
    addresses: tuple[str, ...]
    hostname: str | None
    role: Role
    site: str
    zone: str | None
    owner: str | None
    manners: AssetManners
    services: tuple[Service, ...]
    tls_depth: Depth | None = None  # None for that of the defaults
    canaries: tuple[AssociationPurpose, ...] = ()


@dataclass(frozen=True, slots=True)
class Authorization:
    """Who allowed this check, under which reference, until which day (that day included)."""

    owner: str
    reference: str
    expires: date


@dataclass(frozen=True, slots=True)
class Zone:
    """A named part of the network; `networks` in CIDR notation."""

    name: str
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AssetClass:
    """Which assets a line of policy means: all given fields must match; ids, sites and zones may be globs."""

    role: Role | None = None
    site: str | None = None
    zone: str | None = None
    asset: str | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """A line of exposure policy. Services read `<kind>/<port>` or `tcp/<port>`, such as `dicom-tls/2762`."""

    from_zone: str
    to: AssetClass
    must_reach: tuple[str, ...] = ()
    may_reach: tuple[str, ...] = ()
    reason: str | None = None
    owner: str | None = None
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """An accepted risk: an annotation of findings, never a status. `rule` is a glob; given fields must all match."""

    rule: str
    reason: str
    owner: str
    expires: date
    asset: str | None = None
    site: str | None = None
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class TrustAnchors:
    """The certificates that vouch for servers in place of the system's trust store.

    `name` is that of their file without its folder; `pem` has them one after another (RFC 7468), and nothing else.
    """

    name: str
    pem: str


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Our own certificate, for servers that require one of their clients.

    `subject` is as RFC 4514 writes it, bounded in length; `sha256` is over its DER, in lower-case hex. `paths` are the
    PEM files of the certificate with those above it, and of its private key, on this machine; None where it is told of
    and not used, as in a stored run.
    """

    subject: str
    sha256: str
    paths: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds where an asset or an option says nothing. `certificate_notice_days`: when an end is told before."""

    calling_ae_title: str = "PACSCHECKER"
    ports: str | tuple[int | str, ...] = "imaging"  # as `checker.catalog.ports.Choice` has it
    user_agent: str | None = None  # None for the product's own
    trust_store: TrustAnchors | None = None  # None for the system's
    tls_depth: Depth = Depth.POLICY
    certificate_notice_days: int = 30
    client_certificate: ClientCertificate | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """A whole, valid inventory. `files` are the paths as the user named them; `sha256` is over all their bytes."""

    organization: str
    authorization: Authorization
    owned_networks: tuple[str, ...]
    public_networks: tuple[str, ...]
    excluded: tuple[str, ...]
    zones: tuple[Zone, ...]
    defaults: Defaults
    exposure: tuple[Exposure, ...]
    assets: tuple[Asset, ...]
    waivers: tuple[Waiver, ...]
    files: tuple[str, ...] = ()
    sha256: str = ""
    notices: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------------------------- the network


class ConnectState(StrEnum):
    """How a TCP connection attempt ended; each is a different fact about device and firewall."""

    OPEN = "open"
    CLOSED = "closed"  # a reset came back, from the device or in its name
    REJECTED = "rejected"  # an ICMP message came back: `icmp` has its type and code, `offender` who sent it
    UNREACHABLE = "unreachable"  # the kernel knows no way: no route, or no answer to ARP or neighbour discovery
    FILTERED = "filtered"  # silence until the time limit
    RESET = "reset"  # ECONNRESET or ECONNABORTED while connecting: a proxy with nothing behind it
    LOCAL_ERROR = "local-error"  # our own machine refused: descriptors, ports, permission
    NOT_ASKED = "not-asked"  # manners or scope forbade the question


class End(StrEnum):
    """Why a conversation gave no more bytes."""

    CLOSED = "closed"
    RESET = "reset"
    TIMEOUT = "timeout"
    TOO_MUCH = "too-much"  # the byte cap of the connection was reached


@dataclass(frozen=True, slots=True)
class Permit:
    """Leave to contact one address of one asset, valid through `expires`. Made by `checker.scope` only."""

    asset_id: str
    address: str
    network: str
    expires: date


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something must not be contacted, in one plain sentence."""

    asset_id: str
    address: str
    reason: str


# ---------------------------------------------------------------------------------------------------- observations


@dataclass(frozen=True, slots=True)
class PortFacts:
    """One TCP port as seen by connect(). `icmp` is (type, code); `offender` the address that sent it; times in ms.

    `asked`: with how many connections, until there was an answer or it was called filtered.
    """

    type: Literal["port"] = "port"
    state: ConnectState = ConnectState.NOT_ASKED
    icmp: tuple[int, int] | None = None
    offender: str | None = None
    rtt_ms: float | None = None
    detail: str | None = None
    asked: int = 1


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What a host name resolved to: canonical addresses, sorted; `error` is the resolver's word where it failed."""

    type: Literal["name"] = "name"
    hostname: str = ""
    addresses: tuple[str, ...] = ()
    error: str | None = None


class AssociationPurpose(StrEnum):
    """Why an association was requested."""

    SURVEY = "survey"  # the declared called AE title, our unregistered calling AE title, many contexts, C-ECHO
    WRONG_CALLED = "wrong-called"  # a called AE title that nobody has
    CANARY = "canary"  # Study Root C-FIND for a study that cannot exist
    REGISTERED = "registered"  # a calling AE title that the inventory says is registered, C-ECHO
    WORKLIST = "worklist"  # Modality Worklist C-FIND for a station and a patient that nobody has
    GET = "get"  # Study Root C-GET for a study that cannot exist, where nothing could be sent to us
    RECOGNISE = "recognise"  # whether an open port that nobody declared speaks DICOM: Verification, and nothing asked


OPT_IN_CANARIES = (AssociationPurpose.WORKLIST, AssociationPurpose.GET)
"""What is asked only of assets that the inventory opts in, in the order in which it is asked."""


class AssociationOutcome(StrEnum):
    """How the request for an association ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    ABORTED = "aborted"
    CLOSED = "closed"
    RESET = "reset"
    TIMEOUT = "timeout"
    TOO_MUCH = "too-much"
    MALFORMED = "malformed"
    NOT_CONNECTED = "not-connected"
    TLS_FAILED = "tls-failed"
    CLIENT_CERTIFICATE_REQUIRED = "client-certificate-required"
    SPEAKS_TLS = "speaks-tls"  # the answer to a plaintext request was a TLS alert
    NOT_ASKED = "not-asked"


class QueryVerdict(StrEnum):
    """What became of a canary (or, for REFUSED_ABORT and INDETERMINATE, of any DIMSE request)."""

    QUERY_ACCEPTED = "query-accepted"
    KEY_IGNORED = "key-ignored"
    REFUSED_STATUS = "refused-status"
    REFUSED_ABORT = "refused-abort"
    CONTEXT_REJECTED = "context-rejected"
    INDETERMINATE = "indeterminate"


@dataclass(frozen=True, slots=True)
class ContextResult:
    """The answer to one presentation context: PS3.8 table 9-18 result 0 accepted, 1 to 4 refused."""

    abstract_syntax: str
    result: int


@dataclass(frozen=True, slots=True)
class DicomFacts:
    """One association, as it went.

    `reject` is (result, source, reason) of PS3.8 9.3.4, `abort` (source, reason) of 9.3.8.
    `echo_status` and `query_status` are DIMSE statuses (PS3.7 annex C), None where none came. `client_certificate`: it
    was asked for with our own certificate, so that it shows nothing of what strangers get.
    """

    type: Literal["dicom"] = "dicom"
    purpose: AssociationPurpose = AssociationPurpose.SURVEY
    tls: bool = False
    outcome: AssociationOutcome = AssociationOutcome.NOT_ASKED
    calling_ae_title: str = ""
    called_ae_title: str = ""
    reject: tuple[int, int, int] | None = None
    abort: tuple[int, int] | None = None
    contexts: tuple[ContextResult, ...] = ()
    max_pdu: int | None = None
    implementation_class_uid: str | None = None
    implementation_version: str | None = None
    echo_status: int | None = None
    query: QueryVerdict | None = None
    query_status: int | None = None
    released: bool = False
    detail: str | None = None
    client_certificate: bool = False


class Acceptance(StrEnum):
    """Whether a server takes an offer; INCONCLUSIVE never reads as a refusal."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """One protocol version. `cipher_suite` is the IANA code point chosen; `alert` the code of a fatal alert.

    Of an accepted one: `group` is the IANA code point of the named group that was chosen, `prime_bits` the size of a
    finite field; `compression` whether DEFLATE was chosen where it was offered, `secure_renegotiation` whether RFC 5746
    was answered where it was asked. None where the answer does not show it.

    At full depth: `suites` are the code points of those accepted, in the order in which they were chosen, first of the
    usual ones and then of the rarer; `complete` says that every other that is known was refused, else `incomplete` says
    why that is not so. `server_order`: the order is the server's; False where it follows its client, and None where
    that was not seen.
    """

    version: str  # "SSLv3", "TLS 1.0" ... "TLS 1.3"
    acceptance: Acceptance
    cipher_suite: int | None = None
    cipher_suite_name: str | None = None
    alert: int | None = None
    reason: str | None = None
    group: int | None = None
    group_name: str | None = None
    prime_bits: int | None = None
    compression: bool | None = None
    secure_renegotiation: bool | None = None
    suites: tuple[int, ...] = ()
    complete: bool = False
    incomplete: str | None = None
    server_order: bool | None = None


class TlsOffer(StrEnum):
    """What a hello offered on purpose, and nothing else of its kind."""

    BROKEN_SUITES = "broken-suites"  # no encryption, export, anonymous, RC4, DES, MD5
    WEAK_SUITES = "weak-suites"  # 3DES, keys without forward secrecy, CBC, and DHE for the size of its prime
    HYBRID_GROUPS = "hybrid-groups"  # groups with ML-KEM, under TLS 1.3


@dataclass(frozen=True, slots=True)
class OfferFacts:
    """What a server made of an offer under `version`: ACCEPTED names what it chose, REFUSED covers all of the offer.

    At full depth it follows from the whole list of what is accepted, and no hello is sent for it alone.

    `suites` and `groups` are the IANA code points that were offered, where they are what is asked about.
    """

    offer: TlsOffer
    version: str
    acceptance: Acceptance
    suites: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    cipher_suite: int | None = None
    cipher_suite_name: str | None = None
    group: int | None = None
    group_name: str | None = None
    prime_bits: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """The named groups that a server agrees on keys over, under TLS 1.3 or, with ECDHE, under an older version.

    `groups` are IANA code points, in the order in which they were chosen; for `complete`, `incomplete` and
    `server_order` see `VersionFacts`.
    """

    version: str
    groups: tuple[int, ...] = ()
    complete: bool = False
    incomplete: str | None = None
    server_order: bool | None = None


@dataclass(frozen=True, slots=True)
class SignatureFacts:
    """The schemes by which a server signs its key exchange, under TLS 1.2, which alone shows it in clear.

    `schemes` are IANA code points, in the order in which they were chosen; for `complete` and `incomplete` see
    `VersionFacts`.
    """

    version: str
    schemes: tuple[int, ...] = ()
    complete: bool = False
    incomplete: str | None = None


@dataclass(frozen=True, slots=True)
class TlsFeatures:
    """What a server does about extensions under the versions below TLS 1.3, which alone show it in clear.

    Of RFC 7627, 7366 (None where no suite of CBC was chosen, with which alone it means something), 5077 and 6066
    section 8 (whether a response was stapled). `fallback_scsv`: whether it refused a fallback that RFC 7507 tells it to
    refuse; None also where it has no two versions. `resumption`: whether it resumed the session of the whole handshake,
    under whatever version that was. None where nothing shows it.
    """

    extended_master_secret: bool | None = None
    encrypt_then_mac: bool | None = None
    session_ticket: bool | None = None
    ocsp_stapled: bool | None = None
    fallback_scsv: bool | None = None
    resumption: bool | None = None


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What the hellos showed. `plaintext_dicom` says that a ClientHello was answered by a DICOM PDU.

    At full depth there are `groups`, `signatures` and `features`, and `certificates` has each distinct leaf that was
    sent in clear, as servers with keys of RSA and of ECDSA have them. `default_host` is what a client meets that sends
    no name; None where none was sent at all, so that all else shows just that.
    """

    type: Literal["tls"] = "tls"
    versions: tuple[VersionFacts, ...] = ()
    offers: tuple[OfferFacts, ...] = ()
    plaintext_dicom: bool = False
    plaintext_http: bool = False
    answered: bool = False  # at least one TLS record came back
    client_certificate_requested: bool | None = None  # seen in clear in a TLS 1.2 flight
    server_name: str | None = None  # the SNI that was sent
    detail: str | None = None
    depth: Depth = Depth.POLICY
    groups: tuple[GroupFacts, ...] = ()
    signatures: SignatureFacts | None = None
    features: TlsFeatures | None = None
    certificates: tuple[CertificateFacts, ...] = ()
    default_host: DefaultHostFacts | None = None


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """A leaf certificate and how it stands. Names are bounded in number and length; digests are lower-case hex.

    `trusted` and `name_matches` are None where they could not be decided; the `*_detail` then says why. `trust_store`
    names what `trusted` was judged by, never by a path; None where there was no store. `must_staple`: it tells its
    clients to demand a stapled OCSP response (RFC 7633).
    """

    subject: str
    issuer: str
    serial: str
    not_before: datetime
    not_after: datetime
    key_type: str  # "RSA", "EC", "Ed25519", "Ed448", "DSA", "other"
    key_bits: int
    curve: str | None
    signature_hash: str | None
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    self_signed: bool
    sha256: str
    public_key_sha256: str
    trusted: bool | None = None
    trust_detail: str | None = None
    trust_store: str | None = None
    names_asked: tuple[str, ...] = ()
    name_matches: bool | None = None
    must_staple: bool = False


@dataclass(frozen=True, slots=True)
class DefaultHostFacts:
    """What a port that is asked by a name shows to a client that sends none (RFC 6066 section 3).

    `acceptance` is that of a hello without a name: ACCEPTED names the version, the suite and the size in bits of a
    finite field that were chosen; REFUSED is a fatal alert that says so, also one that says that a name is missing
    (`alert` is its code); all else, and what was not asked, is INCONCLUSIVE, with `reason`. `same_certificate`: its
    leaf is one that was shown by the name; None where one of both is not known. `offers` are those of full depth, made
    without a name.
    """

    acceptance: Acceptance
    version: str | None = None
    cipher_suite: int | None = None
    cipher_suite_name: str | None = None
    prime_bits: int | None = None
    alert: int | None = None
    reason: str | None = None
    certificate: CertificateFacts | None = None
    same_certificate: bool | None = None
    client_certificate_requested: bool | None = None
    offers: tuple[OfferFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class HandshakeFacts:
    """One full handshake. `client_certificate` is what the server did about our having none to show.

    `alpn` is the protocol that the server chose of `alpn_offered`, which is empty where none was offered or nothing
    shows what became of them. `alpn_refused`: it refused a handshake for them, and this one was made without.

    Of TLS 1.3: `groups` are the IANA code points that the server named as its own, in its order; empty where it named
    none, which it need not. `ticket` says whether it gave one to resume the session with; False where none came in the
    time that it had. `early_data` says whether that ticket allows early data. None where nothing shows it.

    `own_certificate` is what a server that required one did about ours, in a further handshake; None where none was
    made (it required none, or we have none) and where that did not show.
    """

    type: Literal["handshake"] = "handshake"
    completed: bool = False
    version: str | None = None
    cipher_suite_name: str | None = None
    certificate: CertificateFacts | None = None
    client_certificate: Literal["not-asked", "optional", "required"] | None = None
    detail: str | None = None
    alpn: str | None = None
    alpn_offered: tuple[str, ...] = ()
    alpn_refused: bool = False
    groups: tuple[int, ...] = ()
    ticket: bool | None = None
    early_data: bool | None = None
    own_certificate: Literal["accepted", "refused"] | None = None


class BodyKind(StrEnum):
    """What the first bytes of a body are, never the bytes themselves."""

    NONE = "none"
    EMPTY_ARRAY = "empty-array"
    FILLED_ARRAY = "filled-array"
    JSON_OBJECT = "json-object"
    HTML = "html"
    OTHER = "other"


class HttpPurpose(StrEnum):
    """Why a request was sent."""

    PAGE = "page"  # the declared URL itself
    CANARY = "canary"  # series of a study that cannot exist
    CONTROL = "control"  # the same with a random path segment
    CONFIGURATION = "configuration"  # a file in which a product tells the browser where its archive is
    REST = "rest"  # a product's own REST question, whose answer holds no data


class HttpEnd(StrEnum):
    """How a request ended."""

    ANSWERED = "answered"
    TIMEOUT = "timeout"
    CLOSED = "closed"
    RESET = "reset"
    TOO_MUCH = "too-much"
    MALFORMED = "malformed"
    ENCODED = "encoded"  # a content coding that we did not ask for: the body was not read
    NOT_CONNECTED = "not-connected"
    TLS_FAILED = "tls-failed"
    CLIENT_CERTIFICATE_REQUIRED = "client-certificate-required"
    NOT_ASKED = "not-asked"
    WEBSOCKET_ONLY = "websocket-only"  # it wants an upgrade to WebSocket (RFC 6455); a status and headers came
    HTTP2_ONLY = "http2-only"  # it speaks HTTP/2 and nothing older (RFC 9113)


@dataclass(frozen=True, slots=True)
class CookieFacts:
    """A cookie that was set; its value is never kept."""

    name: str
    secure: bool
    http_only: bool
    same_site: str | None


@dataclass(frozen=True, slots=True)
class HttpFacts:
    """One GET, without its body.

    `path` has random parts replaced by `<random>`; `length_class` is a power-of-two bound. `redirect_origin` is scheme,
    host and port of a Location, or "same" for this origin; `redirect_path` only for "same".
    `body_alike` says whether a control's body equalled that of its canary (None where not compared).

    `path` begins with an origin where that is not the declared one: a root that a configuration named, on another port.
    `allow_origin` is what Access-Control-Allow-Origin said (Fetch standard, CORS protocol): `*`, the origin that we
    made up, another, or nothing at all; None where we sent no origin. `allow_credentials` says that
    Access-Control-Allow-Credentials was `true`.

    Of a configuration, where it was understood: `named_roots` are the DICOMweb roots that it names, of this origin
    their path, of another that origin only (or all of it, where the asset declares that very root), and `unknown` where
    there may be more; `signs_in` whether it tells the
    browser to log in (None where it does not say); `names_internal_hosts` how many hosts without a public name or
    address it names, `names_clients` how many clients of a login and AE titles. `rest_sign` is the sign of an open REST
    interface that was seen, as the catalogue words it.
    """

    type: Literal["http"] = "http"
    purpose: HttpPurpose = HttpPurpose.PAGE
    path: str = "/"
    tls: bool = False
    end: HttpEnd = HttpEnd.NOT_ASKED
    status: int | None = None
    media_type: str | None = None
    body: BodyKind | None = None
    length_class: int | None = None
    body_alike: bool | None = None
    challenges: tuple[str, ...] = ()  # scheme names of WWW-Authenticate, lower case
    realm: str | None = None
    redirect_origin: str | None = None
    redirect_path: str | None = None
    redirect_to_login: bool = False  # the Location named a login or a single sign-on, wherever it is
    login_form: bool = False
    login_alone: bool = False  # the whole page was read, and a login form is all that it offers
    password_field: bool = False  # a page asks for a password, to log in with or to change it
    script_redirect_to_login: bool = False
    client_certificate_gate: bool = False  # nginx's 400 "No required SSL certificate was sent"
    product: str | None = None  # id of a product of the catalogue whose marker was seen
    single_page_shell: bool = False
    directory_listing: bool = False
    server: str | None = None
    powered_by: str | None = None
    hsts: str | None = None
    cookies: tuple[CookieFacts, ...] = ()
    detail: str | None = None
    allow_origin: Literal["any", "echoed", "named", "absent"] | None = None
    allow_credentials: bool = False
    named_roots: tuple[str, ...] = ()
    signs_in: bool | None = None
    names_internal_hosts: int = 0
    names_clients: int = 0
    rest_sign: str | None = None


class UdpState(StrEnum):
    """What one UDP port made of a question."""

    OPEN = "open"  # a datagram came from it
    CLOSED = "closed"  # the device itself said that nobody has the port (RFC 1122 4.1.3.1, RFC 4443 3.1)
    SILENT = "open|filtered"  # nothing came back, which nobody can tell from a firewall: it is never `closed`
    REJECTED = "rejected"  # an ICMP message came back: `icmp` has its type and code, `offender` who sent it
    UNREACHABLE = "unreachable"  # the kernel knows no way: no route, or no answer to ARP or neighbour discovery
    LOCAL_ERROR = "local-error"  # our own machine refused: descriptors, ports, permission
    NOT_ASKED = "not-asked"  # manners or scope forbade the question


class UdpQuestion(StrEnum):
    """What a UDP port is asked; each is a valid question that needs no credential."""

    SNMP = "snmp"  # SNMPv3 engine discovery (RFC 3414 section 4)
    NTP = "ntp"  # the time, as a client (RFC 5905 mode 3)
    TFTP = "tftp"  # a file whose name nobody has (RFC 1350)
    NETBIOS = "netbios"  # node status (RFC 1002 4.2.17)
    DTLS = "dtls"  # a ClientHello without a cookie (RFC 6347 4.2.1)
    MDNS = "mdns"  # which types of services there are (RFC 6762, RFC 6763 section 9)
    SSDP = "ssdp"  # a unicast M-SEARCH (UPnP Device Architecture 1.1, 1.3.2)
    RMCP = "rmcp"  # a presence ping (ASF 2.0, 3.2.4.2)


@dataclass(frozen=True, slots=True)
class UdpAnswer:
    """What a valid answer told, in numbers and in words of our own; never a text of the peer. None where not told.

    SNMP: `enterprise`, the private enterprise number of its engine id (RFC 3411 section 5). NTP: `version`, `stratum`
    and `leap` as RFC 5905 7.3 has them. TFTP: `error_code` (RFC 1350 section 5), or `gave_data` where it sent a file.
    NetBIOS: `names`, how many it has, the names themselves are dropped. DTLS: `version` as on the wire (0xFEFD is 1.2);
    of a server that first asked for a `cookie` it says nothing of what would be agreed on (RFC 6347 4.2.1).
    mDNS and SSDP: `services`, those of a list of known types, sorted. RMCP: `ipmi`, and `enterprise`.
    """

    enterprise: int | None = None
    version: int | None = None
    stratum: int | None = None
    leap: int | None = None
    error_code: int | None = None
    gave_data: bool = False
    names: int | None = None
    cookie: bool | None = None
    services: tuple[str, ...] = ()
    ipmi: bool | None = None


@dataclass(frozen=True, slots=True)
class UdpFacts:
    """One UDP port as one question showed it.

    `question` is None where none is known for the port. `asked`: how many datagrams were sent, the question and its
    repetition. `answer` is None unless a valid answer to the question came, so a port that is `open` without one is
    used by something else, or by something broken. `strays`: the datagrams that came from anywhere else, which were
    not looked at. `icmp` is (type, code) and `offender` the address that sent it; `rtt_ms` in ms from the last datagram
    that we sent.
    """

    type: Literal["udp"] = "udp"
    question: UdpQuestion | None = None
    state: UdpState = UdpState.NOT_ASKED
    asked: int = 0
    answer: UdpAnswer | None = None
    strays: int = 0
    icmp: tuple[int, int] | None = None
    offender: str | None = None
    rtt_ms: float | None = None
    detail: str | None = None


class Spoken(StrEnum):
    """What an open port was seen to speak."""

    DICOM = "dicom"
    HTTP = "http"
    TLS = "tls"
    OTHER = "other"  # bytes came that begin none of these
    NONE = "none"  # no byte came, or too little to tell


@dataclass(frozen=True, slots=True)
class RecognisedFacts:
    """What answered one question at an open port where the inventory declares nothing.

    `asked` is the protocol of the question, by the port's line in the catalogue; `protocol` is that of the answer,
    which may be another. `inside_tls`: HTTP that is spoken inside TLS, as the server chose (RFC 7301) or said in plain.
    Of DICOM: `outcome`, and the implementation where the association was accepted. Of HTTP: `status`, `product` (its id
    in the catalogue of web products) and the bounded Server header. `detail` is in words of our own.
    """

    type: Literal["recognised"] = "recognised"
    asked: Literal["dicom", "http", "tls"] = "dicom"
    protocol: Spoken = Spoken.NONE
    inside_tls: bool = False
    outcome: AssociationOutcome | None = None
    implementation_class_uid: str | None = None
    implementation_version: str | None = None
    status: int | None = None
    product: str | None = None
    server: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The end of a visit: what of it could not be done, each in one plain sentence."""

    type: Literal["visit"] = "visit"
    connections: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    gaps: tuple[str, ...] = ()
    not_visited: str | None = None  # why no question at all was asked; None where the asset was visited
    refused_by_scope: bool = False


Facts: TypeAlias = (
    PortFacts | NameFacts | DicomFacts | TlsFacts | HandshakeFacts | HttpFacts | UdpFacts | RecognisedFacts | VisitFacts
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What came back, refused, reset or stayed silent, for one question, from one vantage.

    `address` is the resolved one that was contacted; `port` is 0 where the observation is about the asset as a whole.
    `service` is the index of the declared service in `Asset.services`, None where none is meant.
    """

    id: str
    asset_id: str
    vantage: str
    observed_at: datetime
    address: str
    port: int
    service: int | None
    facts: Facts


# ---------------------------------------------------------------------------------------------------- findings


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a framework that this evidence is relevant to; never a claim of compliance."""

    framework: str
    id: str


@dataclass(frozen=True, slots=True)
class ServiceRef:
    """The service that a finding speaks of; all but `address` None or 0 where it speaks of the whole asset."""

    kind: str
    address: str | None
    port: int | None
    transport: str = "tcp"
    ae_title: str | None = None
    url: str | None = None


class Drift(StrEnum):
    """A finding against the baseline."""

    NEW = "new"
    PERSISTING = "persisting"
    RESOLVED = "resolved"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class RuleRef:
    """Which rule judged."""

    id: str
    version: int
    title: str


@dataclass(frozen=True, slots=True)
class AssetRef:
    """Which asset was judged, as the inventory describes it."""

    id: str
    name: str
    role: Role
    site: str
    zone: str | None
    owner: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """A judged fact, whole: what a SIEM, an engineer and an auditor need."""

    finding_id: str
    run_id: str
    observed_at: datetime
    rule: RuleRef
    status: Status
    severity: Severity
    asset: AssetRef
    service: ServiceRef | None
    vantage: str
    summary: str
    evidence: Mapping[str, JsonValue]
    observations: tuple[str, ...]
    remedy: str
    controls: tuple[Control, ...]
    waiver: Waiver | None = None
    drift: Drift | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run has cost, in connections and bytes."""

    connections: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
