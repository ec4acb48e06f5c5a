/* SPDX-License-Identifier: GPL-2.0 */
/* System calls: for patterns, which want to know of few, and for traces, which somebody watches. */
/* Included after lives.c. A call is noted when it begins, by its thread, and told with its result when it ends. */
#include "calls.h"

/* The same on every architecture: how all these tracepoints are laid out, as the sensor makes sure before it attaches. */
struct call_begins {
	u64 common;
	s64 number;
	u64 arguments[6];
};

struct call_ends {
	u64 common;
	s64 number;
	s64 result;
};

#define OPEN_WRITES 0103 /* O_WRONLY, O_RDWR, O_CREAT */
#define MODE_EXECUTES 0111
#define AF_UNIX 1
#define AF_INET6 10
#define AF_NETLINK 16
#define SOCK_RAW 3
#define SOCK_PACKET 10
#define SOCK_KIND 15
#define IN_PROGRESS 115
#define PTRACE_POKETEXT 4
#define PTRACE_POKEUSER 6
#define PTRACE_SETREGS 13
#define PTRACE_ATTACH 16
#define PTRACE_SETREGSET 0x4205
#define PTRACE_SEIZE 0x4206
#define MESSAGE_BYTES 64
#define MESSAGE_LENGTH 56
#define MESSAGES 8

struct socket_address {
	u16 family;
	__be16 port;
	__be32 ipv4; /* of IPv6 the flow's label */
	struct address ipv6;
};

static inline __attribute__((always_inline)) void count_trace(u32 which)
{
	u64 *value = trace_statistics.lookup(&which);

	if (value)
		*value += 1;
}

static inline __attribute__((always_inline)) struct tracing *current_tracing(void)
{
	u32 zero = 0;

	return tracing.lookup(&zero);
}

static inline __attribute__((always_inline)) bool is_called(const char *wanted)
{
	u64 comm[2] = {}, name[2];

	bpf_get_current_comm(comm, sizeof(comm));
	__builtin_memcpy(name, wanted, sizeof(name));
	return comm[0] == name[0] && comm[1] == name[1];
}

static inline __attribute__((always_inline)) bool is_unwanted(u32 pid, u32 bit)
{
	struct process *process = processes.lookup(&pid);
	u64 image = process ? process->image : 0;
	u32 *unwanted = unwanted_images.lookup(&image);

	return unwanted && *unwanted & bit;
}

static inline __attribute__((always_inline)) bool is_traced(struct trace *trace, u32 bit, u32 pid)
{
	u8 checks = trace->checks;

	if (checks & CHECK_PID && trace->pid != pid)
		return false;
	if (checks & CHECK_UID && trace->uid != (u32)bpf_get_current_uid_gid())
		return false;
	if (checks & CHECK_COMM && !is_called(trace->comm))
		return false;
	return !(checks & CHECK_IMAGE && is_unwanted(pid, bit));
}

/* By whom this call of the current process is wanted: most processes are told apart by the first comparisons. */
static inline __attribute__((always_inline)) u8 wanted_by(u8 call, bool for_patterns)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct tracing *current = current_tracing();
	struct process_settings *settings;
	u8 wanted = 0;
	int i;

	if (!current)
		return 0;
	if (for_patterns && current->watched >> call & 1)
		wanted = PATTERNS;
#pragma clang loop unroll(disable)
	for (i = 0; i < TRACES; i++)
		if (current->traces[i].call == call && is_traced(&current->traces[i], 1 << i, pid))
			wanted |= 1 << i;
	if (!wanted)
		return 0;
	settings = current_settings();
	return settings && settings->sensor != pid && is_watched(settings) ? wanted : 0;
}

static inline __attribute__((always_inline)) int begins(struct pending_call *made)
{
	u32 thread = bpf_get_current_pid_tgid();

	made->begun = bpf_ktime_get_boot_ns();
	if (pending_calls.update(&thread, made))
		count_trace(TRACE_UNENDED);
	return 0;
}

static inline __attribute__((always_inline)) struct text *draft(void)
{
	u32 zero = 0;
	struct text *text = draft_texts.lookup(&zero);

	if (text)
		__builtin_memset(text, 0, sizeof(*text));
	return text;
}

static inline __attribute__((always_inline)) void keep_text(struct pending_call *made, u64 pointer)
{
	u32 thread = bpf_get_current_pid_tgid();
	struct text *text = draft();

	if (!text || bpf_probe_read_user_str(text->bytes, TEXT_BYTES, (void *)pointer) < 0)
		return;
	made->has_text = !pending_texts.update(&thread, text);
}

/* The name of a unix socket; one in the abstract namespace begins with a zero, and here with an @. */
static inline __attribute__((always_inline)) void keep_socket_name(struct pending_call *made, u64 pointer)
{
	u32 thread = bpf_get_current_pid_tgid();
	struct text *text = draft();

	if (!text || bpf_probe_read_user(text->bytes, 1, (void *)pointer))
		return;
	if (text->bytes[0]) {
		bpf_probe_read_user_str(text->bytes, 108, (void *)pointer);
	} else {
		text->bytes[0] = '@';
		bpf_probe_read_user_str(text->bytes + 1, 107, (void *)(pointer + 1));
	}
	made->has_text = !pending_texts.update(&thread, text);
}

static inline __attribute__((always_inline)) void read_address(struct pending_call *call, u64 pointer)
{
	struct socket_address read = {};

	/* One of IPv4 may end where nothing is mapped. */
	if (!pointer || (bpf_probe_read_user(&read, sizeof(read), (void *)pointer) &&
			 bpf_probe_read_user(&read, 16, (void *)pointer)))
		return;
	call->family = read.family;
	if (read.family == AF_INET) {
		call->peer = mapped(read.ipv4);
		call->port = bpf_ntohs(read.port);
	} else if (read.family == AF_INET6) {
		call->peer = read.ipv6;
		call->port = bpf_ntohs(read.port);
	}
}

/* Connect and bind: the address is an argument. */
static inline __attribute__((always_inline)) int takes_address(struct call_begins *ctx, u8 call)
{
	struct pending_call made = { .call = call, .wanted = wanted_by(call, false) };

	if (!made.wanted)
		return 0;
	made.fd = ctx->arguments[0];
	read_address(&made, ctx->arguments[1]);
	if (made.family == AF_UNIX && ctx->arguments[2] > 2)
		keep_socket_name(&made, ctx->arguments[1] + 2);
	return begins(&made);
}

int call_connect(struct call_begins *ctx)
{
	return takes_address(ctx, CALL_CONNECT);
}

int call_bind(struct call_begins *ctx)
{
	return takes_address(ctx, CALL_BIND);
}

/* accept() and accept4(): the address is there when it ends, if it was asked for. */
int call_accept(struct call_begins *ctx)
{
	struct pending_call made = { .call = CALL_ACCEPT, .wanted = wanted_by(CALL_ACCEPT, false) };

	if (!made.wanted)
		return 0;
	made.fd = ctx->arguments[0];
	made.pointer = ctx->arguments[1];
	return begins(&made);
}

int call_listen(struct call_begins *ctx)
{
	struct pending_call made = { .call = CALL_LISTEN, .wanted = wanted_by(CALL_LISTEN, true) };

	if (!made.wanted)
		return 0;
	made.fd = ctx->arguments[0];
	made.second = ctx->arguments[1];
	return begins(&made);
}

int call_socket(struct call_begins *ctx)
{
	u64 family = ctx->arguments[0], kind = ctx->arguments[1] & SOCK_KIND;
	bool is_usual = family == AF_UNIX || family == AF_NETLINK ||
			((family == AF_INET || family == AF_INET6) && kind != SOCK_RAW && kind != SOCK_PACKET);
	struct pending_call made = { .call = CALL_SOCKET, .wanted = wanted_by(CALL_SOCKET, !is_usual) };

	if (!made.wanted)
		return 0;
	made.first = family;
	made.second = ctx->arguments[1];
	made.port = ctx->arguments[2];
	return begins(&made);
}

int call_ptrace(struct call_begins *ctx)
{
	u64 request = ctx->arguments[0];
	bool is_grave = (request >= PTRACE_POKETEXT && request <= PTRACE_POKEUSER) || request == PTRACE_SETREGS ||
			request == PTRACE_ATTACH || request == PTRACE_SETREGSET || request == PTRACE_SEIZE;
	struct pending_call made = { .call = CALL_PTRACE, .wanted = wanted_by(CALL_PTRACE, is_grave) };

	if (!made.wanted)
		return 0;
	made.first = ctx->arguments[1];
	made.second = request;
	return begins(&made);
}

/* Calls on a file by its path, which begins in a folder if it does not begin with a slash. */
static inline __attribute__((always_inline)) int takes_path(u8 call, s32 folder, u64 path, u64 detail)
{
	struct pending_call made = { .call = call, .wanted = wanted_by(call, true), .fd = folder };

	if (!made.wanted)
		return 0;
	made.second = detail;
	if (path)
		keep_text(&made, path);
	return begins(&made);
}

#define HERE -100 /* AT_FDCWD */

int call_open(struct call_begins *ctx)
{
	return ctx->arguments[1] & OPEN_WRITES ? takes_path(CALL_OPEN, HERE, ctx->arguments[0], ctx->arguments[1]) : 0;
}

int call_creat(struct call_begins *ctx)
{
	return takes_path(CALL_OPEN, HERE, ctx->arguments[0], OPEN_WRITES);
}

int call_openat(struct call_begins *ctx)
{
	if (!(ctx->arguments[2] & OPEN_WRITES))
		return 0;
	return takes_path(CALL_OPEN, ctx->arguments[0], ctx->arguments[1], ctx->arguments[2]);
}

int call_openat2(struct call_begins *ctx)
{
	u64 flags = 0;

	bpf_probe_read_user(&flags, sizeof(flags), (void *)ctx->arguments[2]);
	return flags & OPEN_WRITES ? takes_path(CALL_OPEN, ctx->arguments[0], ctx->arguments[1], flags) : 0;
}

/* What was written under one name is the same under another. */
int call_rename(struct call_begins *ctx)
{
	return takes_path(CALL_OPEN, HERE, ctx->arguments[1], 0);
}

int call_renameat(struct call_begins *ctx)
{
	return takes_path(CALL_OPEN, ctx->arguments[2], ctx->arguments[3], 0);
}

int call_chmod(struct call_begins *ctx)
{
	u64 mode = ctx->arguments[1];

	return mode & MODE_EXECUTES ? takes_path(CALL_CHMOD, HERE, ctx->arguments[0], mode) : 0;
}

int call_fchmod(struct call_begins *ctx)
{
	u64 mode = ctx->arguments[1];

	return mode & MODE_EXECUTES ? takes_path(CALL_CHMOD, ctx->arguments[0], 0, mode) : 0;
}

int call_fchmodat(struct call_begins *ctx)
{
	u64 mode = ctx->arguments[2];

	return mode & MODE_EXECUTES ? takes_path(CALL_CHMOD, ctx->arguments[0], ctx->arguments[1], mode) : 0;
}

int call_memfd(struct call_begins *ctx)
{
	return takes_path(CALL_MEMFD, HERE, ctx->arguments[0], ctx->arguments[1]);
}

int call_exec(struct call_begins *ctx)
{
	return takes_path(CALL_EXEC, HERE, ctx->arguments[0], 0);
}

int call_execat(struct call_begins *ctx)
{
	return takes_path(CALL_EXEC, ctx->arguments[0], ctx->arguments[1], 0);
}
