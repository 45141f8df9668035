"""Become another program: ``python -I -S launch.py [options] -- PROGRAM [ARGUMENT ...]``.

Run as a script of its own, so that a child is set up without running code between fork and exec.
It ties the child's life to its parent, gives up root where asked, and then executes the program
under the same process id. Only the standard library is used.
"""

import argparse
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
CAPABILITIES = {"dac_override": 1, "dac_read_search": 2}
EXIT_REFUSED = 126


class CapabilityHeader(ctypes.Structure):
    """``struct __user_cap_header_struct`` of capset(2)."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class CapabilitySet(ctypes.Structure):
    """``struct __user_cap_data_struct`` of capset(2)."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def control(option: int, *values: int) -> None:
    """prctl(2), raising OSError where it fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if libc.prctl(ctypes.c_int(option), *arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def keep_only(capability: int) -> None:
    """Hold this one capability, also across exec, and no other."""
    libc = ctypes.CDLL(None, use_errno=True)
    bit = 1 << capability
    header = CapabilityHeader(LINUX_CAPABILITY_VERSION_3, 0)
    sets = (CapabilitySet * 2)(CapabilitySet(bit, bit, bit), CapabilitySet(0, 0, 0))
    if libc.capset(ctypes.byref(header), sets) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    control(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def change_user(user: str, capability: str) -> None:
    """Become ``uid:gid`` for good, keeping at most one capability."""
    uid, gid = (int(part) for part in user.split(":"))
    if capability:
        # Changing the user then takes no capability away (keep_only does), and access(2), with
        # which PostgreSQL looks for its programs, counts the one that is left.
        control(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if capability:
        keep_only(CAPABILITIES[capability])
    if sys.platform == "linux":
        control(PR_SET_NO_NEW_PRIVS, 1)


def die_with_parent(parent: int, name: str) -> None:
    """Ask the kernel for this signal when the parent dies; leave at once if it already has."""
    if sys.platform == "linux":
        control(PR_SET_PDEATHSIG, signal.Signals[f"SIG{name}"])
    if os.getppid() != parent:
        sys.exit("launch: the parent process has gone")


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="launch.py", description=__doc__)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", default="TERM")
    parser.add_argument("--user", default="")
    parser.add_argument("--capability", default="", choices=["", *CAPABILITIES])
    parser.add_argument("--directory", default="")
    parser.add_argument("program", nargs="+")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    options = parse(arguments)
    try:
        if options.user:
            change_user(options.user, options.capability)
        die_with_parent(options.parent, options.death_signal)
        if options.directory:
            os.chdir(options.directory)
        os.execv(options.program[0], options.program)  # noqa: S606  # its purpose
    except OSError as error:
        sys.stderr.write(f"launch: cannot run {options.program[0]}: {error}\n")
        sys.exit(EXIT_REFUSED)


if __name__ == "__main__":
    main(sys.argv[1:])
