"""The lab's tables and its longer explanations as text for people."""

from typing import Final

from lab.home import DNS, HOSTS, SITES

ABOUT: Final = """\
A home in network namespaces: a gateway (bridge br-lan, NAT to wan), six devices in two
segments, and an internet of web servers, DNS, a mining pool and an address of ill repute.
Nothing leaves this machine, and nothing of it is changed: everything is in namespaces."""

HOSTS_TABLE: Final = "hosts:\n" + "\n".join(
    f"  {host.name:9}{host.mac:19}{', '.join(host.addresses)}" for host in HOSTS.values()
)
SITES_TABLE: Final = f"names on the lab's internet, answered by its DNS {DNS.ipv4}:\n" + "\n".join(
    f"  {', '.join(site.names):28}{site.ipv4:15}{site.ipv6:22}{site.service}"
    for site in SITES.values()
)
EXEC_HELP: Final = f"""\
Runs a command on a host of the lab, with its input, output and exit code passed through.
Only the network is the host's own; files, /sys and /etc/resolv.conf stay the machine's, so
name the lab's DNS where a name is to be looked up:

  scripts/lab exec laptop dig @203.0.113.53 video.example
  scripts/lab exec tv ping -c 3 2001:db8:ffff::10
  scripts/lab exec camera curl --resolve web.lab.example:443:203.0.113.10 \\
      --cacert /run/hearthwall-lab/home/certificate.pem https://web.lab.example/bytes/1000

The web servers answer GET /bytes/N, GET /pace?rate=BYTES_PER_SECOND&seconds=S and POST /upload.

{HOSTS_TABLE}

{SITES_TABLE}"""
