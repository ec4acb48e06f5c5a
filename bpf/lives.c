/* SPDX-License-Identifier: GPL-2.0 */
/* Processes: what each became by an exec, whose child it is, and which rules on programs it takes over. */
/* Included after process.c: it is told in the same records. */

#define CLONE_THREAD 0x10000

static inline __attribute__((always_inline)) bool is_watched(struct process_settings *settings)
{
	return !settings->cgroup || bpf_get_current_ancestor_cgroup_id(settings->level) == settings->cgroup;
}

#ifdef HAVE_TASK_NEWTASK
/* Runs in the parent. */
int life_begins(struct tracepoint__task__task_newtask *args)
{
	u32 parent = bpf_get_current_pid_tgid() >> 32, child = args->pid;
	struct process_settings *settings = current_settings();
	struct process *process = processes.lookup(&parent), made = {};
	struct pid_rule *rule, inherited = {};

	if (args->clone_flags & CLONE_THREAD) {
		if (process)
			lock_xadd(&process->threads, 1);
		return 0;
	}
	made.image = process ? process->image : 0;
	made.parent = parent;
	made.threads = 1;
	if (processes.update(&child, &made))
		count_process(PROCESSES_LOST);
	if (!settings || !settings->pid_rules)
		return 0;
	rule = pid_rules.lookup(&parent);
	if (rule && rule->children) {
		inherited.rules = rule->children;
		inherited.children = rule->children;
		pid_rules.update(&child, &inherited);
	} else {
		pid_rules.delete(&child); /* of somebody who had the number before */
	}
	return 0;
}
#endif

#ifdef HAVE_SCHED_PROCESS_EXIT
int life_ends(struct tracepoint__sched__sched_process_exit *args)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	struct process *process = processes.lookup(&pid);
	struct process_settings *settings;

	if (!process)
		return 0;
	lock_xadd(&process->threads, -1);
	if ((s32)process->threads > 0)
		return 0;
	processes.delete(&pid);
	settings = current_settings();
	if (settings && settings->pid_rules)
		pid_rules.delete(&pid);
	return 0;
}
#endif

/* What is told of an exec is made here: the rules must not hang on whether there is room in the ring. */
BPF_PERCPU_ARRAY(draft_execs, struct exec_record, 1);
BPF_PERCPU_ARRAY(draft_names, struct program_path, 1);

#ifdef HAVE_SCHED_PROCESS_EXEC
static inline __attribute__((always_inline)) u64 rules_by(struct program_path *key)
{
	u64 *rules = program_rules.lookup(key);

	return rules ? *rules : 0;
}

/*
 * A path that does not begin at the root means nothing here: until the sensor has looked what it is, the rules
 * on every executable of that name hold. The kernel has just called the process by it, up to fifteen characters.
 * Their entries begin with a zero, as no path does.
 */
static inline __attribute__((always_inline)) u64 rules_on_name(struct exec_record *record)
{
	struct program_path *key;
	u32 zero = 0;
	int length;

	key = draft_names.lookup(&zero);
	if (!key)
		return 0;
	key->path[0] = 0;
	length = bpf_probe_read_kernel_str(key->path + 1, sizeof(record->head.comm), record->head.comm);
	if (length <= 1)
		return 0;
	key->prefix_length = (length + 1) * 8;
	return rules_by(key);
}

static inline __attribute__((always_inline)) u64 rules_on_path(struct exec_record *record, int length)
{
	if (record->path[0] != '/')
		return rules_on_name(record);
	record->path_length = (length > PATH_BYTES ? PATH_BYTES : length) * 8;
	return rules_by((struct program_path *)&record->path_length);
}

static inline __attribute__((always_inline)) void take_over_rules(struct process_settings *settings,
								  struct exec_record *record, int length)
{
	u64 image = record->head.image, rules = rules_on_path(record, length), *before;

	before = image_rules.lookup(&record->previous);
	if (before)
		rules |= *before & settings->children;
	if (rules)
		image_rules.update(&image, &rules);
}

/* Runs in the process, which is what it became. */
int life_changes(struct tracepoint__sched__sched_process_exec *args)
{
	u64 now = bpf_ktime_get_boot_ns();
	u32 pid = bpf_get_current_pid_tgid() >> 32, thread = args->old_pid, zero = 0;
	struct process_settings *settings = current_settings();
	struct process *process = processes.lookup(&pid), made = {};
	struct exec_record *record = draft_execs.lookup(&zero);
	struct arguments *asked;
	int length;

	if (!settings || !record || !is_watched(settings))
		return 0;
	made.image = now << IMAGE_CPU_BITS | (bpf_get_smp_processor_id() & ((1 << IMAGE_CPU_BITS) - 1));
	made.parent = process ? process->parent : 0;
	made.threads = 1;
	sign(&record->head, RECORD_EXEC, now, pid, process);
	record->previous = record->head.image;
	record->head.image = made.image;
	record->arguments = 0;
	record->more = 0;
	length = bpf_probe_read_kernel_str(record->path, sizeof(record->path),
					   (void *)args + (args->data_loc_filename & 0xffff));
	asked = pending_arguments.lookup(&thread);
	if (asked) {
		record->arguments = asked->length;
		record->more = asked->more;
		bpf_probe_read_kernel(record->text, sizeof(record->text), asked->text);
		pending_arguments.delete(&thread);
	}
	if (settings->rules && length > 0)
		take_over_rules(settings, record, length);
	if (processes.update(&pid, &made))
		count_process(PROCESSES_LOST);
	if (process_records.ringbuf_output(record, sizeof(*record), BPF_RB_FORCE_WAKEUP))
		count_process(PROCESS_RECORDS_LOST);
	return 0;
}
#endif
