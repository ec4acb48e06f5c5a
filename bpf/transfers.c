/* SPDX-License-Identifier: GPL-2.0 */
/* Sending and receiving, for traces: counted here by socket and peer, or told one by one where that is asked for. */
/* Included after called.c. */

/* An address that is an argument is there before something is sent, and after something was received. */
static inline __attribute__((always_inline)) int transfers_some(struct call_begins *ctx, u8 call, u8 way)
{
	struct pending_call made = { .call = call, .wanted = wanted_by(call, false), .way = way };

	if (!made.wanted)
		return 0;
	made.fd = ctx->arguments[0];
	made.pointer = ctx->arguments[way == WAY_ADDRESS ? 4 : 1];
	return begins(&made);
}

int call_sendto(struct call_begins *ctx)
{
	return transfers_some(ctx, CALL_SEND, WAY_ADDRESS);
}

int call_recvfrom(struct call_begins *ctx)
{
	return transfers_some(ctx, CALL_RECEIVE, WAY_ADDRESS);
}

int call_sendmsg(struct call_begins *ctx)
{
	return transfers_some(ctx, CALL_SEND, WAY_MESSAGE);
}

int call_recvmsg(struct call_begins *ctx)
{
	return transfers_some(ctx, CALL_RECEIVE, WAY_MESSAGE);
}

int call_sendmmsg(struct call_begins *ctx)
{
	return transfers_some(ctx, CALL_SEND, WAY_MESSAGES);
}

int call_recvmmsg(struct call_begins *ctx)
{
	return transfers_some(ctx, CALL_RECEIVE, WAY_MESSAGES);
}

struct message_name {
	u64 pointer;
	u32 length;
	u32 zero;
};

/* Bytes of the first messages, each of which has its length behind it. */
static inline __attribute__((always_inline)) u64 sum_messages(u64 messages, s64 number)
{
	u64 sum = 0;
	u32 length;
	int i;

	for (i = 0; i < MESSAGES && i < number; i++) {
		length = 0;
		bpf_probe_read_user(&length, sizeof(length), (void *)(messages + i * MESSAGE_BYTES + MESSAGE_LENGTH));
		sum += length;
	}
	return sum;
}

static inline __attribute__((always_inline)) void read_peer(struct pending_call *call)
{
	struct message_name name = {};
	u64 pointer = call->pointer;

	if (call->way != WAY_ADDRESS) {
		bpf_probe_read_user(&name, sizeof(name), (void *)call->pointer);
		pointer = name.length ? name.pointer : 0;
	}
	read_address(call, pointer);
	if (call->family != AF_INET && call->family != AF_INET6)
		call->family = 0; /* what was in memory that nobody wrote an address to */
}

static inline __attribute__((always_inline)) void add_transfer(struct pending_call *call, u8 wanted, s64 result, u64 bytes,
							       u64 now, u32 pid)
{
	struct transfer_key key = { .pid = pid, .fd = call->fd, .peer = call->peer, .port = call->port,
				    .family = call->family, .call = call->call, .wanted = wanted };
	struct transfer made = {}, *known = transfers.lookup(&key);
	struct process *process;

	if (!known) {
		process = processes.lookup(&pid);
		made.image = process ? process->image : 0;
		made.uid = bpf_get_current_uid_gid();
		bpf_get_current_comm(made.comm, sizeof(made.comm));
		transfers.update(&key, &made);
		known = transfers.lookup(&key);
		if (!known)
			return;
	}
	lock_xadd(&known->calls, 1);
	lock_xadd(&known->bytes, bytes);
	lock_xadd(&known->duration, now - call->begun);
	known->last = now;
	if (result < 0) {
		lock_xadd(&known->failed, 1);
		known->error = -result;
	}
}

int call_transferred(struct call_ends *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), bytes = 0, now;
	u32 pid = id >> 32, thread = id;
	struct tracing *current = current_tracing();
	volatile s64 ended = ctx->result; /* read once, here: the verifier wants the context untouched */
	s64 result = ended;
	struct pending_call call;
	u8 each = 0;
	int i;

	if (!current || !take_pending(thread, &call))
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (call.call == CALL_SEND || result >= 0)
		read_peer(&call);
	if (result > 0)
		bytes = call.way == WAY_MESSAGES ? sum_messages(call.pointer, result) : result;
	narrow(current, &call, result);
#pragma clang loop unroll(disable)
	for (i = 0; i < TRACES; i++)
		if (current->traces[i].checks & CHECK_EACH)
			each |= 1 << i;
	each &= call.wanted;
	call.wanted &= ~each;
	if (call.wanted)
		add_transfer(&call, call.wanted, result, bytes, now, pid);
	if (each) {
		call.wanted = each;
		call.first = bytes;
		tell_trace(&call, result, now, pid, processes.lookup(&pid), NULL);
	}
	return 0;
}
