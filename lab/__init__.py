"""A home in network namespaces: gateway, six devices and a small internet."""

from lab.errors import LabError
from lab.home import DEVICES, HOSTS, SITES, Device, Host, Site
from lab.lab import Lab, Status

__all__ = ["DEVICES", "HOSTS", "SITES", "Device", "Host", "Lab", "LabError", "Site", "Status"]
