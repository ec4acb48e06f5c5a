"""MITRE ATT&CK's names for the techniques that events have, and the tactics that each serves."""

from collections.abc import Mapping
from typing import Final, NamedTuple

TACTICS: Final[Mapping[str, str]] = {
    "TA0001": "Initial Access",
    "TA0002": "Execution",
    "TA0003": "Persistence",
    "TA0004": "Privilege Escalation",
    "TA0005": "Defense Evasion",
    "TA0006": "Credential Access",
    "TA0007": "Discovery",
    "TA0008": "Lateral Movement",
    "TA0009": "Collection",
    "TA0010": "Exfiltration",
    "TA0011": "Command and Control",
    "TA0040": "Impact",
}


class Technique(NamedTuple):
    """One technique, or a part of one (`T1071.004`)."""

    name: str
    tactics: tuple[str, ...]


_C2: Final = ("TA0011",)

TECHNIQUES: Final[Mapping[str, Technique]] = {
    "T1018": Technique("Remote System Discovery", ("TA0007",)),
    "T1021": Technique("Remote Services", ("TA0008",)),
    "T1021.002": Technique("SMB/Windows Admin Shares", ("TA0008",)),
    "T1036": Technique("Masquerading", ("TA0005",)),
    "T1036.005": Technique("Match Legitimate Resource Name or Location", ("TA0005",)),
    "T1040": Technique("Network Sniffing", ("TA0006", "TA0007")),
    "T1041": Technique("Exfiltration Over C2 Channel", ("TA0010",)),
    "T1046": Technique("Network Service Discovery", ("TA0007",)),
    "T1048": Technique("Exfiltration Over Alternative Protocol", ("TA0010",)),
    "T1055": Technique("Process Injection", ("TA0004", "TA0005")),
    "T1055.008": Technique("Ptrace System Calls", ("TA0004", "TA0005")),
    "T1059": Technique("Command and Scripting Interpreter", ("TA0002",)),
    "T1059.004": Technique("Unix Shell", ("TA0002",)),
    "T1071": Technique("Application Layer Protocol", _C2),
    "T1071.001": Technique("Web Protocols", _C2),
    "T1071.004": Technique("DNS", _C2),
    "T1090": Technique("Proxy", _C2),
    "T1090.003": Technique("Multi-hop Proxy", _C2),
    "T1105": Technique("Ingress Tool Transfer", _C2),
    "T1133": Technique("External Remote Services", ("TA0001", "TA0003")),
    "T1496": Technique("Resource Hijacking", ("TA0040",)),
    "T1498": Technique("Network Denial of Service", ("TA0040",)),
    "T1498.001": Technique("Direct Network Flood", ("TA0040",)),
    "T1557": Technique("Adversary-in-the-Middle", ("TA0006", "TA0009")),
    "T1557.002": Technique("ARP Cache Poisoning", ("TA0006", "TA0009")),
    "T1557.003": Technique("DHCP Spoofing", ("TA0006", "TA0009")),
    "T1571": Technique("Non-Standard Port", _C2),
    "T1572": Technique("Protocol Tunneling", _C2),
    "T1620": Technique("Reflective Code Loading", ("TA0005",)),
}
