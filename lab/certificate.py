"""The self-made certificate of a lab's internet, valid for all of its names and addresses."""

from lab import tools
from lab.home import SITES
from lab.rundir import RunDirectory


def create(run: RunDirectory, keep: int) -> None:
    """Write key and certificate into the run directory; clients trust the certificate itself."""
    sites = [site for site in SITES.values() if site.service == "web"]
    names = [f"DNS:{name}" for site in sites for name in site.names]
    addresses = [f"IP:{address}" for site in sites for address in site.addresses]
    run.key.touch(mode=0o600)
    tools.call(
        "openssl",
        *(
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-days",
            "30",
        ),
        *(
            "-subj",
            f"/CN={sites[0].names[0]}",
            "-addext",
            f"subjectAltName={','.join(names + addresses)}",
        ),
        *("-keyout", str(run.key), "-out", str(run.certificate)),
        keep=[keep],
    )
