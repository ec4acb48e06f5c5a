/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs on processes share with the sensor. hearthwall_sensor/kernel/process_layouts.py reads the same. */
#ifndef HEARTHWALL_PROCESS_H
#define HEARTHWALL_PROCESS_H

/*
 * An image is what a process became by an exec: it has a number of its own, which children keep until they
 * exec themselves. So one record for each exec is enough to know every process's executable, and a process
 * that lived a millisecond is known as well as any. Numbers are times since boot with the CPU in their last
 * bits; the sensor gives some to what ran before it came, with a bit pattern that no CPU has.
 */
#define IMAGE_CPU_BITS 8

struct process_settings {
	u64 cgroup; /* whose processes are watched, 0 for all */
	u64 children; /* the rules that hold for what a process execs as well, a bit each */
	u32 level; /* the cgroup's depth */
	u32 rules; /* how many rules there are */
	u32 sensor; /* the sensor's own process, which no rule holds */
	u32 pid_rules; /* how many of them are on processes by their number */
};

/* A process, by its number. */
struct process {
	u64 image; /* 0: not known */
	u32 parent;
	u32 threads;
};

/* A socket's connection, or what one socket exchanges with one peer; by its cookie. */
struct socket {
	u64 image; /* of the process that opened, or uses it */
	u32 pid;
	u32 uid;
	u64 cgroup;
	u64 first; /* nanoseconds since boot */
	u64 last; /* 0: no packet */
	u64 sent_bytes; /* from the IP header on; what stays on the loopback interface is not counted */
	u64 received_bytes;
	u64 sent_packets;
	u64 received_packets;
	struct address local; /* zeros until they are known */
	struct address peer;
	u16 port;
	u16 peer_port;
	u8 protocol;
	u8 accepted; /* 1: the peer opened it */
	u8 unconnected; /* 1: its peers are in the table of exchanges */
	u8 zero;
};

struct exchange {
	u64 cookie;
	struct address peer;
	u16 peer_port;
	u16 zero[3];
};

/* Who listens: sockets that were bound to a port, by the cgroup they were made in. */
struct port_key {
	u64 cgroup;
	struct address address;
	u16 port;
	u16 protocol;
	u32 zero;
};

struct closed_socket {
	u64 image;
	u32 pid;
	u32 zero;
};

struct port_owner {
	u64 cookie;
	u64 image;
	u32 pid;
	u32 uid;
};

enum process_statistic {
	PROCESS_RECORDS_LOST, /* the ring was full */
	PROCESSES_LOST, /* the table of processes was full */
	PROCESS_UNKNOWN, /* connections of processes that were in no table */
	PROCESS_REFUSED, /* connections that a rule refused */
	PROCESS_DROPPED, /* packets of open connections that a rule dropped */
	SOCKETS_LOST, /* the table of sockets was full */
	PROCESS_UNANNOUNCED, /* bytes in the ring since this CPU woke the sensor */
	PROCESS_STATISTICS,
};

/* A rule on processes, by its slot; rule.h's counters read alike. */
struct process_rule {
	u64 expires; /* nanoseconds since boot, 0 for never */
	u64 packets; /* refused connections, and dropped packets of those that were open */
	u64 bytes;
	u64 first_hit;
	u64 last_hit;
	u32 id; /* 0: the slot is free */
	u8 audit;
	u8 peers; /* 1: but to and from its peers */
	u16 zero;
};
#define PROCESS_RULES 64

struct process_peer {
	u32 prefix_length;
	u32 slot;
	struct address address;
};

/* A path, whole with its zero, or the beginning of one: a folder with its slash. */
#define PATH_BYTES 252
struct program_path {
	u32 prefix_length;
	char path[PATH_BYTES];
};

struct pid_rule {
	u64 rules;
	u64 children; /* of these, those that its children get */
};

enum process_record {
	RECORD_EXEC = 1,
	RECORD_BEGIN,
	RECORD_END,
	RECORD_BIND,
	RECORD_REFUSED,
	RECORD_CALL,
};

struct record {
	u8 kind;
	u8 call;
	u16 length; /* of what follows the fields */
	u32 pid;
	u64 time;
	u64 image;
	u64 cgroup;
	u32 parent;
	u32 uid;
	char comm[16];
};

struct socket_record {
	struct record head;
	u64 cookie;
	struct socket socket;
};

struct bind_record {
	struct record head;
	u64 cookie;
	struct address address;
	u16 port;
	u8 protocol;
	u8 zero[5];
};

/* What was asked for in an exec, until it succeeds. */
#define ARGUMENT_BYTES 512
#define ARGUMENT_LONGEST 128
#define ARGUMENTS 20
struct arguments {
	u16 length;
	u16 more; /* 1: there were more */
	u32 zero;
	char text[ARGUMENT_BYTES + ARGUMENT_LONGEST];
};

struct exec_record {
	struct record head;
	u64 previous; /* the image before */
	u16 arguments; /* bytes */
	u16 more;
	u32 path_length; /* with the path, the key of the rules on it */
	char path[PATH_BYTES];
	char text[ARGUMENT_BYTES];
};

BPF_ARRAY(process_settings, struct process_settings, 1);
BPF_TABLE("percpu_array", u32, u64, process_statistics, PROCESS_STATISTICS);
/* Hash tables that take memory only for what is in them. */
#define SPARSE_HASH(name, key, value, size) BPF_F_TABLE("hash", key, value, name, size, BPF_F_NO_PREALLOC)

SPARSE_HASH(processes, u32, struct process, MAX_PROCESSES);
/* Nobody is pushed out of it: a program could free others, or itself, of rules on what is open. */
BPF_HASH(sockets, u64, struct socket, MAX_SOCKETS);
BPF_TABLE("lru_hash", struct exchange, struct socket, exchanges, MAX_EXCHANGES);
BPF_TABLE("lru_hash", struct port_key, struct port_owner, port_owners, MAX_PORTS);
/* Sockets that were closed: the kernel sends what waits in them, and what comes yet is no connection of a listener's. */
BPF_TABLE("lru_hash", u64, struct closed_socket, closed_sockets, MAX_CLOSED);
BPF_TABLE("lru_hash", u32, struct arguments, pending_arguments, MAX_PENDING);
BPF_RINGBUF_OUTPUT(process_records, PROCESS_PAGES);

BPF_ARRAY(process_rules, struct process_rule, PROCESS_RULES);
BPF_LPM_TRIE(process_peers, struct process_peer, u64, MAX_PROCESS_PEERS);
BPF_LPM_TRIE(program_rules, struct program_path, u64, MAX_PROGRAMS);
SPARSE_HASH(image_rules, u64, u64, MAX_PROCESSES);
SPARSE_HASH(pid_rules, u32, struct pid_rule, MAX_PROCESSES);

static inline __attribute__((always_inline)) void count_process(u32 which)
{
	u64 *value = process_statistics.lookup(&which);

	if (value)
		*value += 1;
}

#endif
