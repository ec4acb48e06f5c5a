/* SPDX-License-Identifier: GPL-2.0 */
/* Which process talks to whom: cgroup hooks see every connection and enforce the rules on programs. */
#include "wire.h"
#include "process.h"
#include "restrict.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define REFUSE 0
#define ALLOW 1
/* Records wake the sensor when so much of the ring waits; else it comes by itself. */
#define RING_WAKES (PROCESS_PAGES * 4096 / 16)

static inline __attribute__((always_inline)) struct process_settings *current_settings(void)
{
	u32 zero = 0;

	return process_settings.lookup(&zero);
}

static inline __attribute__((always_inline)) u64 wakes(u32 bytes)
{
	u32 which = PROCESS_UNANNOUNCED;
	u64 *waiting = process_statistics.lookup(&which);

	if (!waiting)
		return BPF_RB_NO_WAKEUP;
	*waiting += bytes;
	if (*waiting < RING_WAKES)
		return BPF_RB_NO_WAKEUP;
	*waiting = 0;
	return BPF_RB_FORCE_WAKEUP;
}

/* Who does what is recorded: the current process. */
static inline __attribute__((always_inline)) void sign(struct record *head, u8 kind, u64 time, u32 pid,
							struct process *process)
{
	head->kind = kind;
	head->call = 0;
	head->length = 0;
	head->pid = pid;
	head->time = time;
	head->image = process ? process->image : 0;
	head->parent = process ? process->parent : 0;
	head->cgroup = bpf_get_current_cgroup_id();
	head->uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(head->comm, sizeof(head->comm));
}

static inline __attribute__((always_inline)) void tell_socket(u8 kind, u64 time, u32 pid, struct process *process,
							      u64 cookie, struct socket *socket)
{
	struct socket_record *record = process_records.ringbuf_reserve(sizeof(*record));

	if (!record) {
		count_process(PROCESS_RECORDS_LOST);
		return;
	}
	sign(&record->head, kind, time, pid, process);
	record->cookie = cookie;
	record->socket = *socket;
	process_records.ringbuf_submit(record, wakes(sizeof(*record)));
}

static inline __attribute__((always_inline)) void remember(u64 *cookie, struct socket *socket)
{
	if (sockets.update(cookie, socket))
		count_process(SOCKETS_LOST);
}

/* Whose a socket is from now on: the current process's. */
static inline __attribute__((always_inline)) void own(struct socket *socket, u32 pid, struct process *process)
{
	socket->image = process ? process->image : 0;
	socket->pid = pid;
	socket->uid = bpf_get_current_uid_gid();
	socket->cgroup = bpf_get_current_cgroup_id();
}

static inline __attribute__((always_inline)) struct address mapped(__be32 ipv4)
{
	struct address address = { .part = { 0, 0, bpf_htonl(0xffff), ipv4 } };

	return address;
}

static inline __attribute__((always_inline)) struct address peer_of(struct bpf_sock_addr *ctx, bool is_ipv4)
{
	struct address address;

	if (is_ipv4)
		return mapped(ctx->user_ip4);
	address.part[0] = ctx->user_ip6[0];
	address.part[1] = ctx->user_ip6[1];
	address.part[2] = ctx->user_ip6[2];
	address.part[3] = ctx->user_ip6[3];
	return address;
}

/* Judges a connection, and remembers whose it is. */
static inline __attribute__((always_inline)) int connects(struct bpf_sock_addr *ctx, bool is_ipv4)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = processes.lookup(&pid);
	struct process_settings *settings = current_settings();
	struct socket socket = {};
	u64 cookie = bpf_get_socket_cookie(ctx);

	if (!settings)
		return ALLOW;
	if (!process)
		count_process(PROCESS_UNKNOWN);
	own(&socket, pid, process);
	socket.first = bpf_ktime_get_boot_ns();
	socket.peer = peer_of(ctx, is_ipv4);
	socket.peer_port = bpf_ntohs(ctx->user_port);
	socket.protocol = ctx->protocol;
	if (settings->rules && is_refused(settings, pid, socket.image, &socket.peer, 0)) {
		count_process(PROCESS_REFUSED);
		tell_socket(RECORD_REFUSED, socket.first, pid, process, cookie, &socket);
		return REFUSE;
	}
	remember(&cookie, &socket);
	tell_socket(RECORD_BEGIN, socket.first, pid, process, cookie, &socket);
	return ALLOW;
}

int process_connect4(struct bpf_sock_addr *ctx)
{
	return connects(ctx, true);
}

int process_connect6(struct bpf_sock_addr *ctx)
{
	return connects(ctx, false);
}

/* A datagram of a socket that is not connected: the socket is its sender's, the peer is met as a packet. */
static inline __attribute__((always_inline)) int uses(struct bpf_sock_addr *ctx, bool is_ipv4, bool sends)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = processes.lookup(&pid);
	struct process_settings *settings = current_settings();
	u64 cookie = bpf_get_socket_cookie(ctx), image = process ? process->image : 0;
	struct socket socket = {}, *known;
	struct address peer;

	if (!settings)
		return ALLOW;
	if (sends && settings->rules) {
		peer = peer_of(ctx, is_ipv4);
		if (is_refused(settings, pid, image, &peer, 0)) {
			count_process(PROCESS_REFUSED);
			return REFUSE;
		}
	}
	known = sockets.lookup(&cookie);
	if (known) {
		if (known->pid != pid || known->image != image)
			own(known, pid, process);
		return ALLOW;
	}
	if (!process)
		count_process(PROCESS_UNKNOWN);
	own(&socket, pid, process);
	socket.first = bpf_ktime_get_boot_ns();
	socket.protocol = ctx->protocol;
	socket.unconnected = 1;
	remember(&cookie, &socket);
	return ALLOW;
}

int process_sendmsg4(struct bpf_sock_addr *ctx)
{
	return uses(ctx, true, true);
}

int process_sendmsg6(struct bpf_sock_addr *ctx)
{
	return uses(ctx, false, true);
}

int process_recvmsg4(struct bpf_sock_addr *ctx)
{
	uses(ctx, true, false);
	return ALLOW;
}

int process_recvmsg6(struct bpf_sock_addr *ctx)
{
	uses(ctx, false, false);
	return ALLOW;
}

/* An accepted connection is of whoever asks for its peer, as accept() does for most servers. */
static inline __attribute__((always_inline)) int accepts(struct bpf_sock_addr *ctx, bool is_ipv4)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = processes.lookup(&pid);
	u64 cookie = bpf_get_socket_cookie(ctx);
	struct socket socket = {}, *known;

	if (ctx->type != SOCK_STREAM)
		return ALLOW;
	known = sockets.lookup(&cookie);
	if (known) {
		if (known->accepted && known->pid != pid)
			own(known, pid, process);
		return ALLOW;
	}
	if (!process)
		count_process(PROCESS_UNKNOWN);
	own(&socket, pid, process);
	socket.first = bpf_ktime_get_boot_ns();
	socket.peer = peer_of(ctx, is_ipv4);
	socket.peer_port = bpf_ntohs(ctx->user_port);
	socket.protocol = ctx->protocol;
	socket.accepted = 1;
	if (ctx->sk)
		socket.port = ctx->sk->src_port;
	remember(&cookie, &socket);
	tell_socket(RECORD_BEGIN, socket.first, pid, process, cookie, &socket);
	return ALLOW;
}

int process_getpeername4(struct bpf_sock_addr *ctx)
{
	return accepts(ctx, true);
}

int process_getpeername6(struct bpf_sock_addr *ctx)
{
	return accepts(ctx, false);
}

/* Whose the connections to a port are that nobody has accepted yet. */
static inline __attribute__((always_inline)) int binds(struct bpf_sock *ctx, struct address address)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = processes.lookup(&pid);
	struct port_key key = { .cgroup = bpf_get_current_cgroup_id(), .port = ctx->src_port, .protocol = ctx->protocol };
	struct socket socket = {};
	struct port_owner owner = { .cookie = bpf_get_socket_cookie(ctx), .pid = pid };
	struct bind_record *record;

	key.address = address;
	owner.image = process ? process->image : 0;
	owner.uid = bpf_get_current_uid_gid();
	port_owners.update(&key, &owner);
	if (key.protocol == PROTOCOL_UDP) { /* it may receive, and never send */
		own(&socket, pid, process);
		socket.first = bpf_ktime_get_boot_ns();
		socket.protocol = PROTOCOL_UDP;
		socket.unconnected = 1;
		remember(&owner.cookie, &socket);
	}
	record = process_records.ringbuf_reserve(sizeof(*record));
	if (!record) {
		count_process(PROCESS_RECORDS_LOST);
		return ALLOW;
	}
	sign(&record->head, RECORD_BIND, bpf_ktime_get_boot_ns(), pid, process);
	record->cookie = owner.cookie;
	record->address = address;
	record->port = key.port;
	record->protocol = key.protocol;
	process_records.ringbuf_submit(record, wakes(sizeof(*record)));
	return ALLOW;
}

int process_bind4(struct bpf_sock *ctx)
{
	return binds(ctx, mapped(ctx->src_ip4));
}

int process_bind6(struct bpf_sock *ctx)
{
	struct address address;

	address.part[0] = ctx->src_ip6[0];
	address.part[1] = ctx->src_ip6[1];
	address.part[2] = ctx->src_ip6[2];
	address.part[3] = ctx->src_ip6[3];
	return binds(ctx, address);
}

/* The end of a socket: what it exchanged is told. */
int process_release(struct bpf_sock *ctx)
{
	u64 cookie = bpf_get_socket_cookie(ctx);
	struct socket *socket = sockets.lookup(&cookie);
	struct process_settings *settings;
	struct process *process;
	struct closed_socket closed = {};
	u32 pid;

	if (!socket)
		return ALLOW;
	if (socket->last || socket->unconnected) {
		pid = bpf_get_current_pid_tgid() >> 32;
		process = processes.lookup(&pid);
		tell_socket(RECORD_END, bpf_ktime_get_boot_ns(), pid, process, cookie, socket);
	}
	settings = current_settings();
	if (socket->accepted || (settings && settings->rules)) {
		closed.image = socket->image;
		closed.pid = socket->pid;
		closed_sockets.update(&cookie, &closed);
	}
	sockets.delete(&cookie);
	return ALLOW;
}

/* Sockets that are not connected over TCP or UDP can't be judged by their peer when they are made, and send past the hooks. */
int process_create(struct bpf_sock *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = processes.lookup(&pid);
	struct process_settings *settings = current_settings();
	struct address nobody = {};

	if (!settings || ctx->type == SOCK_STREAM || (ctx->type == SOCK_DGRAM && ctx->protocol == PROTOCOL_UDP))
		return ALLOW;
	if (!is_refused(settings, pid, process ? process->image : 0, &nobody, 0))
		return ALLOW;
	count_process(PROCESS_REFUSED);
	return REFUSE;
}
