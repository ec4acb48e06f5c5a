/* SPDX-License-Identifier: GPL-2.0 */
/* System calls that end: told to whom they concern, with what came of them. */
/* Included after calls.c. What the call was is in its pending_call. */

/* Argument words are there before an exec has replaced what they lie in. */
static inline __attribute__((always_inline)) int stage_arguments(u64 words)
{
	u32 zero = 0, thread = bpf_get_current_pid_tgid();
	struct arguments *staged = draft_arguments.lookup(&zero);
	u32 length = 0;
	u64 word;
	int i, size;

	if (!staged || !words)
		return 0;
	staged->more = 0;
	for (i = 0; i <= ARGUMENTS; i++) {
		word = 0;
		if (bpf_probe_read_user(&word, sizeof(word), (void *)(words + i * sizeof(word))) || !word)
			break;
		if (i == ARGUMENTS || length >= ARGUMENT_BYTES) {
			staged->more = 1;
			break;
		}
		size = bpf_probe_read_user_str(staged->text + (length & (ARGUMENT_BYTES - 1)), ARGUMENT_LONGEST, (void *)word);
		if (size < 0)
			break;
		length += size;
	}
	if (length > ARGUMENT_BYTES) { /* the last word is cut */
		length = ARGUMENT_BYTES;
		staged->more = 1;
		staged->text[ARGUMENT_BYTES - 1] = 0;
	}
	staged->length = length;
	pending_arguments.update(&thread, staged);
	return 0;
}

int stage_execve(struct call_begins *ctx)
{
	return stage_arguments(ctx->arguments[1]);
}

int stage_execveat(struct call_begins *ctx)
{
	return stage_arguments(ctx->arguments[2]);
}

/* Files that are not on a disk are everybody's all the time: of the kernel's, and devices. */
static inline __attribute__((always_inline)) bool is_file(const char *path)
{
	if (path[0] != '/')
		return true;
	if (path[1] == 'p' && path[2] == 'r' && path[3] == 'o' && path[4] == 'c' && path[5] == '/')
		return false;
	if (path[1] == 's' && path[2] == 'y' && path[3] == 's' && path[4] == '/')
		return false;
	if (path[1] == 'd' && path[2] == 'e' && path[3] == 'v' && path[4] == '/')
		return path[5] == 's' && path[6] == 'h' && path[7] == 'm' && path[8] == '/';
	return true;
}

/* Whether the same was told lately, of the same image: a busy writer is one line. */
static inline __attribute__((always_inline)) bool is_told(u64 repeats, u64 now, u64 image, struct pending_call *call,
							  struct text *text)
{
	struct told_key key = { .image = image, .call = call->call };
	u64 *known, *words = (u64 *)text;
	u64 hash = 0xcbf29ce484222325ULL ^ call->first;
	int i;

	hash = (hash ^ call->second) * 0x100000001b3ULL;
	if (text) {
		for (i = 0; i < TEXT_BYTES / 8; i++) {
			hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15ULL;
			hash ^= hash >> 29;
		}
	}
	key.about = hash;
	known = told_calls.lookup(&key);
	if (known && now - *known < repeats)
		return true;
	told_calls.update(&key, &now);
	return false;
}

static inline __attribute__((always_inline)) void fill(struct call_record *record, struct pending_call *call, s64 result,
						       u64 now, u32 pid, struct process *process)
{
	/* As sign() does, without asking the clock. */
	record->head.kind = RECORD_CALL;
	record->head.call = call->call;
	record->head.length = sizeof(*record) - sizeof(record->head);
	record->head.pid = pid;
	record->head.time = call->begun;
	record->head.image = process ? process->image : 0;
	record->head.parent = process ? process->parent : 0;
	record->head.cgroup = bpf_get_current_cgroup_id();
	record->head.uid = bpf_get_current_uid_gid();
	bpf_get_current_comm(record->head.comm, sizeof(record->head.comm));
	record->duration = now - call->begun;
	record->result = result;
	record->first = call->first;
	record->second = call->second;
	record->peer = call->peer;
	record->port = call->port;
	record->family = call->family;
	record->fd = call->fd;
	record->wanted = call->wanted;
}

static inline __attribute__((always_inline)) void tell_pattern(struct pending_call *call, s64 result, u64 now, u32 pid,
							       struct process *process, struct text *text)
{
	struct worded_record *record;
	struct tracing *current = current_tracing();
	bool is_urgent;

	if (!current || result < 0 || (text && call->call != CALL_MEMFD && !is_file(text->bytes)))
		return;
	if (is_told(current->repeats, now, process ? process->image : 0, call, text))
		return;
	record = process_records.ringbuf_reserve(sizeof(*record));
	if (!record) {
		count_process(PROCESS_RECORDS_LOST);
		return;
	}
	fill(&record->call, call, result, now, pid, process);
	record->text.bytes[0] = 0;
	if (text)
		record->text = *text;
	record->call.head.length += TEXT_BYTES;
	/* Where a path begins, and whose port a descriptor is, the sensor can ask only as long as the process is there. */
	is_urgent = call->call == CALL_LISTEN || (text && text->bytes[0] != '/');
	process_records.ringbuf_submit(record, is_urgent ? BPF_RB_FORCE_WAKEUP : wakes(sizeof(*record)));
}

static inline __attribute__((always_inline)) void tell_trace(struct pending_call *call, s64 result, u64 now, u32 pid,
							     struct process *process, struct text *text)
{
	struct worded_record *worded;
	struct call_record *record;

	if (text) {
		worded = trace_records.ringbuf_reserve(sizeof(*worded));
		if (worded) {
			fill(&worded->call, call, result, now, pid, process);
			worded->call.head.length += TEXT_BYTES;
			worded->text = *text;
			trace_records.ringbuf_submit(worded, BPF_RB_NO_WAKEUP);
			return;
		}
	} else {
		record = trace_records.ringbuf_reserve(sizeof(*record));
		if (record) {
			fill(record, call, result, now, pid, process);
			trace_records.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
			return;
		}
	}
	count_trace(TRACE_LOST);
}

static inline __attribute__((always_inline)) bool has_failed(s64 result)
{
	return result < 0 && result != -IN_PROGRESS;
}

/* Takes out those who want failures only, or another port. */
static inline __attribute__((always_inline)) void narrow(struct tracing *current, struct pending_call *call, s64 result)
{
	int i;

#pragma clang loop unroll(disable)
	for (i = 0; i < TRACES; i++) {
		struct trace *trace = &current->traces[i];

		if ((trace->checks & CHECK_FAILED && !has_failed(result)) ||
		    (trace->checks & CHECK_PORT && call->family && trace->port != call->port))
			call->wanted &= ~(1 << i);
	}
}

/* The current thread's call, which ends; false where none is wanted of it. */
static inline __attribute__((always_inline)) bool take_pending(u32 thread, struct pending_call *call)
{
	struct pending_call *known = pending_calls.lookup(&thread);

	if (!known)
		return false;
	*call = *known;
	pending_calls.delete(&thread);
	return true;
}

int call_ended(struct call_ends *ctx)
{
	u64 id = bpf_get_current_pid_tgid(), now;
	u32 pid = id >> 32, thread = id;
	struct tracing *current = current_tracing();
	volatile s64 ended = ctx->result; /* read once, here: the verifier wants the context untouched */
	s64 result = ended;
	struct pending_call call;
	struct process *process;
	struct text *text = NULL;

	if (!current || !take_pending(thread, &call))
		return 0;
	now = bpf_ktime_get_boot_ns();
	if (call.has_text)
		text = pending_texts.lookup(&thread);
	if (call.call == CALL_ACCEPT && result >= 0)
		read_address(&call, call.pointer);
	narrow(current, &call, result);
	process = processes.lookup(&pid);
	if (call.wanted & PATTERNS)
		tell_pattern(&call, result, now, pid, process, text);
	if (call.wanted & (PATTERNS - 1))
		tell_trace(&call, result, now, pid, process, text);
	if (text)
		pending_texts.delete(&thread);
	return 0;
}
