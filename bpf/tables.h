/* SPDX-License-Identifier: GPL-2.0 */
/* What the kernel programs and the sensor share. hearthwall_sensor/kernel/layouts.py and flows/flow.py read the same layouts. */
#ifndef HEARTHWALL_TABLES_H
#define HEARTHWALL_TABLES_H

/*
 * Programs go on with others by a table of programs, and the kernel empties that when nobody holds or pins it any
 * more, whatever program is still on an interface. Where there is no bpffs to pin it in, WHOLE_PROGRAMS is defined:
 * then each program judges by itself, and goes on judging when the sensor has gone. Only counting ends with it.
 */

enum mode {
	MODE_NONE, /* the target has rules on services only */
	MODE_ISOLATE,
	MODE_NO_INTERNET,
	MODE_ALLOW_ONLY,
	MODE_RATE_LIMIT,
	MODE_REDIRECT,
};

enum rule_flag {
	FLAG_AUDIT = 1, /* counts what it would drop */
	FLAG_SERVICES = 2, /* the table of services has rules on the same target */
};

/* What a rule may let through. */
enum allowance {
	ALLOW_ADDRESSING = 1,
	ALLOW_DNS = 2,
	ALLOW_HOME_ASSISTANT = 4,
};

/* Where a packet is met; a rule names the hooks where it applies. */
enum hook {
	FROM_LAN = 1,
	TO_LAN = 2,
	FROM_WAN = 4,
	TO_WAN = 8,
	EVERYWHERE = 15,
};

/* Why a target is never dropped. */
enum role {
	ROLE_SELF = 1,
	ROLE_GATEWAY = 2,
	ROLE_HOME_ASSISTANT = 4,
	ROLE_OPERATOR = 8,
};

enum scope {
	SCOPE_INTERNET,
	SCOPE_LAN,
	SCOPE_GATEWAY,
	SCOPES,
};

enum statistic {
	DROPPED_GATE,
	DROPPED_INGRESS,
	DROPPED_EGRESS,
	DROPPED_WAN,
	DROPPED_FLOOD,
	REDIRECTED,
	DEVICES_CREATED,
	DEVICES_REFUSED,
	SAMPLES_LOST,
	LISTED, /* packets to and from addresses of lists */
	FLOWS_CREATED,
	SAMPLES_LIMITED, /* more than one device may have taken */
	ANSWERS_LOST,
	STATISTICS,
};

enum side {
	SIDE_LAN,
	SIDE_WAN,
	SIDES,
};

enum flood_kind {
	FLOOD_SYN,
	FLOOD_UDP,
	FLOOD_ICMP,
	FLOOD_KINDS,
};

struct config {
	u32 mac_rules; /* entries in each table: an empty one is not searched */
	u32 ipv4_rules;
	u32 ipv6_rules;
	u32 ipv4_prefixes;
	u32 ipv6_prefixes;
	u32 home_networks; /* 1 if there are some of IPv4, 2 for IPv6 */
	u32 resolved;
	u32 feeds; /* the pair of tries in use: 0 for none, 1 for a, 2 for b */
	u32 sample; /* 0: nothing is copied out of packets */
	u32 flood_cost[SIDES * FLOOD_KINDS]; /* nanoseconds that a packet uses up, 0 for no limit */
	u32 zero;
};

/*
 * Bits that say which keys may be in a table, so that a packet that meets no rule, as nearly all do,
 * searches none. A key's bit is set before its rule counts and stays until the filter is made anew.
 */
#define FILTER_WORDS 1024

struct filters {
	u64 macs[FILTER_WORDS];
	u64 ipv4[FILTER_WORDS];
	u64 ipv6[FILTER_WORDS];
	u64 ipv4_prefixes[FILTER_WORDS]; /* by the first 16 bits */
	u64 ipv6_prefixes[FILTER_WORDS]; /* by a hash of the first 32 bits */
	u64 never_drop[FILTER_WORDS]; /* MACs, and addresses of both families as IPv6 */
};

struct rule {
	u64 expires; /* nanoseconds since boot, 0 for never */
	u64 packets;
	u64 bytes;
	u64 first_hit; /* nanoseconds since boot, 0 for none */
	u64 last_hit;
	u32 id;
	u32 subject; /* the target's number in the table of services */
	u32 interface; /* where MODE_REDIRECT sends to */
	u8 mode;
	u8 allow;
	u8 flags;
	u8 hooks;
	u8 prefix_length; /* of a rule on a prefix */
	u8 zero[3];
	u32 tick; /* the kernel's, of the last hit: a rule that was alive in this tick need not ask the clock */
};

struct service {
	u32 subject;
	u8 transport; /* an IP protocol, ICMP for both families; 0 for any */
	u8 zero;
	u16 port; /* the destination's, 0 for any */
};

/* Token buckets, kept as the time at which each would be empty of debt (GCRA). */
struct limit {
	u64 byte_cost; /* nanoseconds per 1024 bytes, 0 for no limit */
	u64 packet_cost; /* nanoseconds per packet, 0 for no limit */
	u64 tolerance; /* nanoseconds of debt that are let pass: the burst */
	u64 bytes_due[2]; /* by direction */
	u64 packets_due[2];
};

struct ipv4_prefix {
	u32 prefix_length;
	__be32 address;
};

#define HOME_IPV4 1
#define HOME_IPV6 2

struct network {
	u32 prefix_length;
	struct address address;
};

struct peer {
	u32 prefix_length;
	u32 rule;
	struct address address;
};

/* An address that a blocked name resolved to. */
struct resolution {
	u64 expires;
	u32 slot;
	u32 zero;
};

/* Who of the home met an address of a feed. */
struct sighting_key {
	struct address peer;
	u8 mac[6]; /* nothing on the WAN side */
	u16 zero;
};

struct sighting {
	u64 packets;
	u64 bytes;
	u64 first;
	u64 last;
	struct address near;
	u32 feeds; /* a bit each */
	u32 sent; /* of the packets, those to the peer */
};

/* One bit for each of 256 neighbouring prefixes. */
struct index_page {
	u64 bits[4];
};

struct flood_key {
	struct address source; /* on the WAN side an address, on the LAN side a MAC in its first bytes */
	u8 kind;
	u8 side;
	u16 zero;
};

struct flood {
	u64 due; /* as in struct limit */
	u64 dropped;
	u64 bytes;
	u64 first_drop;
	u64 last_drop;
	struct address address; /* the source's, and where the last packet was bound */
	struct address peer;
};

struct vlan {
	u32 interface;
	u32 id;
};

/* A device is one MAC on one port: a frame that the bridge floods to other ports is not its download. */
struct device_key {
	u8 mac[6];
	u16 zero;
	u32 interface;
};

struct counter {
	u64 bytes;
	u64 packets;
};

struct device {
	u64 created; /* nanoseconds since boot: an entry that was evicted and came back starts at zero */
	struct counter upload[SCOPES];
	struct counter download[SCOPES];
	u64 samples_due; /* as in struct limit */
};

/*
 * What a flow is known by, seen from a device. Ports are 0 where there are none; ICMP has its type there
 * and that of its answer, or type and code where a type has no answer.
 */
struct flow_key {
	u8 mac[6];
	u16 port;
	u16 peer_port;
	u8 protocol;
	u8 one_way; /* of ICMP without an answer: 1 for upload, 2 for download */
	struct address address;
	struct address peer;
};

/* One direction of a flow. */
struct way {
	u64 bytes;
	u64 packets;
	u32 start; /* TCP's sequence number where the stream of bytes begins */
	u16 window; /* TCP: so many bytes from there are sampled; UDP: so many packets; 0: nothing has come */
	u8 sampled; /* packets, and no more than 255 */
	u8 flags; /* TCP's, of all packets */
};

struct flow {
	u64 first; /* nanoseconds since boot */
	u64 last; /* the same, exact to a tick of the kernel */
	struct way ways[2]; /* by direction */
	u32 interface; /* the device's port */
	u8 opener; /* the direction of the first packet, or of TCP's SYN */
	u8 zero[3];
};

enum sample_kind {
	SAMPLE_PAYLOAD,
	SAMPLE_ARP,
	SAMPLE_ND,
};

#define SAMPLE_BYTES 4096

/* The beginning of a packet's payload; only as much of `data` as there is goes into the ring. */
struct sample {
	u64 time;
	struct flow_key key; /* of ARP only the MAC */
	u32 interface; /* where it came in, 0 for what this host says */
	u32 offset; /* TCP: where the data stands in the stream of bytes */
	u16 length; /* of the data */
	u16 wire_length; /* of the payload, and no more than 65535 */
	u8 direction;
	u8 kind;
	u8 sender[6];
	u8 data[SAMPLE_BYTES];
};

/* Hash tables that take memory only for what is in them. */
#define SPARSE_HASH(name, key, value, size) BPF_F_TABLE("hash", key, value, name, size, BPF_F_NO_PREALLOC)

BPF_ARRAY(config, struct config, 1);
BPF_ARRAY(filters, struct filters, 1);
BPF_TABLE("percpu_array", u32, u64, statistics, STATISTICS);

SPARSE_HASH(mac_rules, struct mac, struct rule, MAX_RULES);
SPARSE_HASH(ipv4_rules, __be32, struct rule, MAX_RULES);
SPARSE_HASH(ipv6_rules, struct address, struct rule, MAX_RULES);
BPF_LPM_TRIE(ipv4_prefixes, struct ipv4_prefix, struct rule, MAX_RULES);
BPF_LPM_TRIE(ipv6_prefixes, struct network, struct rule, MAX_RULES);
SPARSE_HASH(services, struct service, struct rule, MAX_SERVICES);
SPARSE_HASH(limits, u32, struct limit, MAX_LIMITS);
BPF_LPM_TRIE(peers, struct peer, u64, MAX_PEERS);

/* A rule for each feed, in the first 32 slots, and for each blocked domain. */
BPF_ARRAY(list_rules, struct rule, MAX_LISTS);
SPARSE_HASH(resolved, struct address, struct resolution, MAX_RESOLVED);
BPF_LPM_TRIE(feed_ipv4_a, struct ipv4_prefix, u32, MAX_PREFIXES);
BPF_LPM_TRIE(feed_ipv4_b, struct ipv4_prefix, u32, MAX_PREFIXES);
BPF_LPM_TRIE(feed_ipv6_a, struct network, u32, MAX_PREFIXES);
BPF_LPM_TRIE(feed_ipv6_b, struct network, u32, MAX_PREFIXES);
BPF_TABLE("lru_hash", struct sighting_key, struct sighting, sightings, MAX_SIGHTINGS);
/* Which /24 the feeds' prefixes touch, exactly; and which hashes of the first 32 bits. */
BPF_ARRAY(feed_index, struct index_page, 65536);
BPF_ARRAY(feed_index6, struct index_page, 4096);

BPF_HASH(never_drop_macs, struct mac, u32, MAX_PROTECTED);
BPF_HASH(never_drop_addresses, struct address, u32, MAX_PROTECTED);
BPF_LPM_TRIE(home_networks, struct network, u32, MAX_NETWORKS);

BPF_TABLE("lru_hash", struct flood_key, struct flood, floods, MAX_FLOODS);
BPF_HASH(vlans, struct vlan, u32, MAX_VLANS);

BPF_TABLE("lru_percpu_hash", struct device_key, struct device, devices, MAX_DEVICES);
BPF_TABLE("lru_hash", struct flow_key, struct flow, flows, MAX_FLOWS);
BPF_RINGBUF_OUTPUT(samples, SAMPLE_PAGES);
/* DNS answers to devices, by themselves: rules on names hang on them, and nobody's flood of other samples may push them out. */
BPF_RINGBUF_OUTPUT(answers, ANSWER_PAGES);

/*
 * Keeps the compiler from merging the look-ups of two tables into one call: the kernel calls a table's
 * own function directly only where the call names one table, and else through a pointer at twice the cost.
 */
#define KEEP_APART(found, number) asm volatile("" : "+r"(found) : "i"(number))

static inline __attribute__((always_inline)) void count(u32 which)
{
	u64 *value = statistics.lookup(&which);

	if (value)
		*value += 1;
}

#endif
