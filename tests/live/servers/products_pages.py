"""Portals, viewers and platforms that are known by their pages, as their sources show them: open, and gated.

Read for this: horosproject/horos, StanfordRadiation/Oviyam2, NrgXnat/xnat-web, ClearCanvas/ClearCanvas, and HL7 FHIR.
The file that shows an answer stands beside it.
"""

from __future__ import annotations

from tests.live.servers.products import (
    Answer,
    Answers,
    challenge,
    form,
    html,
    in_json,
    missing,
    page,
    parts,
    records,
    redirected,
    shell,
)
from tests.live.synthetic import COOKIE, NAME

# -------------------------------------------------------------------------------------------------- Horos web portal

_HOROS_TITLE = "Horos Web Portal"


def horos(*, passwords: bool) -> Answers:
    """The portal, with or without a login; its WADO and Weasis paths are open either way.

    Horos/Sources/WebPortalConnection.mm, isPasswordProtected and replyToHTTPRequest, with Resources/WebServicesHTML.
    """

    def answers(path: str) -> Answer:
        where, _ = parts(path)
        if where == "/" or where.startswith("/index"):
            # English/index.html with login.pvt.html: the fields are there only where authenticationRequired
            enter = '<form action="/main" method="post"><input type="submit" name="login" value="Login"></form>'
            return _horos_page(form("/main", user="username", other="password") if passwords else enter)
        if where.startswith(("/wado", "/weasis/", "/images/")):
            return records("application/dicom")
        if where == "/password_forgotten":
            return _horos_page("<form method='post'>User: <input type='text' name='username'></form>")
        if passwords:
            # handleAuthenticationFailed(): 401 with the page of login.html, and no challenge
            return _horos_page("Access to this page is restricted." + form("", user="username", other="password"), 401)
        if where == "/main":
            return _horos_page(f'<form action="/studyList"><input type="text" name="search"></form><p>{NAME}</p>')
        return _horos_page(f"<p>{NAME}</p>") if where in ("/studyList", "/study", "/series") else missing()

    return answers


def _horos_page(body: str, status: int = 200) -> Answer:
    text = page(_HOROS_TITLE, f'<div id="header">{_HOROS_TITLE}</div><div id="content">{body}</div>')
    return html(text, status, ("Set-Cookie", f"SESSION={COOKIE}; path=/"))


# ----------------------------------------------------------------------------------------------------------- Oviyam 2

OVIYAM_PAGE = "/oviyam2/"


def oviyam_gated(path: str) -> Answer:
    """Oviyam 2 as it comes: the container's form for every page and every question, with status 200.

    web/WEB-INF/web.xml constrains *.html, *.jsp and *.do; web/login.html has an empty title.
    """
    heading = "<h1></h1> <h4>DICOM Web Workstation</h4>"
    login = form("j_security_check", user="j_username", other="j_password")
    pictures = '<a href="http://example.org"><img src="images/maker.gif"></a><img src="images/html5.png">'
    return html(page("", heading + login + pictures), 200, ("Set-Cookie", f"JSESSIONID={COOKIE}; Path=/oviyam2"))


def oviyam_open(path: str) -> Answer:
    """The same with its security constraint taken out: web/index.html for anybody."""
    where, _ = parts(path)
    if where in (OVIYAM_PAGE, f"{OVIYAM_PAGE}index.html"):
        return html(page("Oviyam 2.0", '<div id="optional-container"><div id="productName">Oviyam 2.0</div></div>'))
    return records("text/html") if where.endswith((".do", ".jsp")) else missing()


# --------------------------------------------------------------------------------------------------------------- XNAT

XNAT_LOGIN = "/app/template/Login.vm"


def xnat_gated(path: str) -> Answer:
    """A site that asks everybody to log in; xnat-templates/screens/Login.vm, whose title is the site's own."""
    where, _ = parts(path)
    if where == "/xapi/siteConfig/buildInfo":
        return in_json({"version": "1.8.0"})
    if where != XNAT_LOGIN:
        return redirected(XNAT_LOGIN)
    screen = f"<!-- BEGIN xnat-templates/screens/Login.vm -->{form('/login', user='username', other='password')}"
    return html(page("Synthetic group - Please Login", f'<div id="login_area">{screen}</div>'))


def xnat_with_guests(path: str) -> Answer:
    """A site that lets guests see its public projects."""
    where, _ = parts(path)
    if where == "/":
        return html(page("Synthetic group", '<h2>Projects</h2><a href="/app/template/Login.vm">Login</a>'))
    return records("text/html") if where.startswith("/data/") else xnat_gated(path)


# -------------------------------------------------------------------------------------------- ClearCanvas ImageServer

CLEARCANVAS_PAGE = "/ImageServer/"
CLEARCANVAS_LOGIN = "/ImageServer/Pages/Login/Default.aspx"


def clearcanvas(path: str) -> Answer:
    """ImageServer, which has no open form: ImageServer_Web.config denies strangers all but the login.

    ImageServer/Web/Application/Pages/Login/Default.aspx for the login, with ChangePasswordDialog.ascx in the same form;
    forms authentication of ASP.NET for the rest.
    """
    where, _ = parts(path)
    if where != CLEARCANVAS_LOGIN:
        return redirected(f"{CLEARCANVAS_LOGIN}?ReturnUrl={where.replace('/', '%2f')}").also(
            ("X-Powered-By", "ASP.NET")
        )
    warning = '<span id="ManifestWarningTextLabel" class="ManifestWarningTextLabel"></span>'
    fields = "".join(f'<input type="password" name="{name}">' for name in ("Password", "Original", "New", "Confirm"))
    login = f'<form method="post" action="Default.aspx"><input type="text" name="UserName">{fields}</form>'
    return html(page("Synthetic ImageServer", warning + login))


# --------------------------------------------------------------------------------------------------------------- FHIR

FHIR_METADATA = "/fhir/metadata"


def fhir(*, open_searches: bool) -> Answers:
    """A FHIR server, whose metadata is public either way (HL7 FHIR R4, http.html#capabilities)."""
    security = {} if open_searches else {"security": {"service": [{"coding": [{"code": "SMART-on-FHIR"}]}]}}
    capabilities = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", **security, "resource": [{"type": "ImagingStudy"}]}],
    }

    def answers(path: str) -> Answer:
        where, _ = parts(path)
        if where == FHIR_METADATA:
            return in_json(capabilities, media="application/fhir+json")
        if not open_searches:
            return challenge('Bearer realm="synthetic"')
        return records("application/fhir+json") if where == "/fhir/ImagingStudy" else missing()

    return answers


def fhir_all_gated(path: str) -> Answer:
    """A FHIR server that gives a stranger not even its metadata."""
    return challenge('Bearer realm="synthetic"')


# -------------------------------------------------------------------------------------------------- logins by a title


def login_called(title: str, at: str) -> Answers:
    """A login at one path, which has the title that public lists of fingerprints give for a product."""

    def answers(path: str) -> Answer:
        where, _ = parts(path)
        return html(page(title, form(at))) if where == at else missing()

    return answers


def shell_called(title: str) -> Answers:
    """A page of scripts with such a title, at every path."""
    return lambda _: html(shell(title))
