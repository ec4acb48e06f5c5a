"""The rules that were ordered: kept on disk, enforced and counted in the kernel."""
