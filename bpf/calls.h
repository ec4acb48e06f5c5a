/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs on system calls share with the sensor. hearthwall_sensor/kernel/call_layouts.py reads the same. */
#ifndef HEARTHWALL_CALLS_H
#define HEARTHWALL_CALLS_H

#define TRACES 4
#define PATTERNS (1 << TRACES) /* beside the traces' bits: patterns want to know */
#define TEXT_BYTES 256
#define AF_INET 2
#define MAX_CALLS 1024
#define MAX_TEXTS 512
#define MAX_TRANSFERS 2048
#define MAX_TOLD 4096
#define MAX_UNWANTED 4096
#define TRACE_PAGES 128

enum system_call {
	CALL_CONNECT = 1,
	CALL_ACCEPT,
	CALL_EXEC,
	CALL_SEND,
	CALL_RECEIVE,
	CALL_BIND,
	CALL_LISTEN,
	CALL_OPEN, /* for writing, or a file that is given another name */
	CALL_SOCKET,
	CALL_MEMFD,
	CALL_PTRACE,
	CALL_CHMOD, /* so that the file can be executed */
};

/* What a trace wants to see. */
enum trace_check {
	CHECK_PID = 1,
	CHECK_UID = 2,
	CHECK_COMM = 4,
	CHECK_IMAGE = 8, /* not those of its bit in the table of the unwanted */
	CHECK_PORT = 16, /* where the call says one */
	CHECK_FAILED = 32,
	CHECK_EACH = 64, /* send and recv: one by one */
};

struct trace {
	u32 pid;
	u32 uid;
	u16 port;
	u8 call; /* 0: the place is free */
	u8 checks;
	u32 zero;
	char comm[16];
};

struct tracing {
	struct trace traces[TRACES];
	u64 watched; /* a bit for each call that patterns want */
	u64 repeats; /* a pattern is told of the same once in so many nanoseconds */
};

/* A call that has begun, by its thread. */
struct pending_call {
	u64 begun;
	u64 pointer; /* what is read when it ends: an address, or a message */
	u64 first; /* arguments that say something */
	u64 second;
	struct address peer;
	u16 port;
	u16 family;
	s32 fd; /* a socket; for a path, the folder that it begins in */
	u8 call;
	u8 wanted; /* by whom, a bit each */
	u8 has_text;
	u8 way; /* of sending and receiving */
	u32 zero;
};

enum way {
	WAY_ADDRESS,
	WAY_MESSAGE,
	WAY_MESSAGES,
};

struct text {
	char bytes[TEXT_BYTES]; /* zeros behind its end */
};

/* Into process_records for patterns, and into trace_records. */
struct call_record {
	struct record head;
	u64 duration;
	s64 result;
	u64 first;
	u64 second;
	struct address peer;
	u16 port;
	u16 family;
	s32 fd;
	u8 wanted;
	u8 zero[7];
};

struct worded_record {
	struct call_record call;
	struct text text;
};

/* What one socket sends to or receives from one peer, or from whom it is connected with. */
struct transfer_key {
	u32 pid;
	s32 fd;
	struct address peer;
	u16 port;
	u16 family; /* 0: connected */
	u8 call;
	u8 wanted;
	u16 zero;
};

struct transfer {
	u64 image;
	u64 calls;
	u64 failed;
	u64 bytes;
	u64 duration; /* of all together */
	u64 last;
	u32 uid;
	u32 error; /* the last one */
	char comm[16];
};

struct told_key {
	u64 image;
	u64 about; /* a hash of the text and of the arguments */
	u32 call;
	u32 zero;
};

enum trace_statistic {
	TRACE_LOST, /* the ring was full */
	TRACE_UNENDED, /* too many calls went on at the same time */
	TRACE_STATISTICS,
};

BPF_ARRAY(tracing, struct tracing, 1);
BPF_TABLE("percpu_array", u32, u64, trace_statistics, TRACE_STATISTICS);
BPF_TABLE("hash", u32, struct pending_call, pending_calls, MAX_CALLS);
BPF_TABLE("lru_hash", u32, struct text, pending_texts, MAX_TEXTS);
BPF_TABLE("lru_hash", struct transfer_key, struct transfer, transfers, MAX_TRANSFERS);
BPF_TABLE("lru_hash", struct told_key, u64, told_calls, MAX_TOLD);
BPF_TABLE("lru_hash", u64, u32, unwanted_images, MAX_UNWANTED);
BPF_TABLE("percpu_array", u32, struct text, draft_texts, 1);
BPF_TABLE("percpu_array", u32, struct arguments, draft_arguments, 1);
BPF_RINGBUF_OUTPUT(trace_records, TRACE_PAGES);

#endif
