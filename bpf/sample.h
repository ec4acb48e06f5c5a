/* SPDX-License-Identifier: GPL-2.0 */
/* Samples: which packets' first bytes the sensor gets to see, and handing them over. */
#ifndef HEARTHWALL_SAMPLE_H
#define HEARTHWALL_SAMPLE_H

#include "flow.h"

/* What one device may have sampled, on each CPU: so many at once, and then so many nanoseconds for each. */
#define SAMPLE_BURST 4096
#define SAMPLE_COST 500000

/* Of a connection that is neither DNS's nor ever says what it is. */
#define MAX_TCP_SAMPLES 16
/* A hello may be spread over as much, and a request's headers over less. */
#define WINDOW_HELLO 16384
#define WINDOW_REQUEST 2048
#define WINDOW_CLOSED 1
/* Behind a hello's own length, for headers of records that it is split into. */
#define HELLO_MARGIN 64
/* So much of a stream says what it is: a record's header and a handshake's. */
#define BEGINNING 9

#define UDP_SAMPLES 2
/* A connection's beginning in QUIC is spread over several packets, and some are sent twice. */
#define QUIC_SAMPLES 6
#define QUIC_LONG_HEADER 0xc0

BPF_TABLE("percpu_array", u32, struct sample, drafts, 1);

static inline __attribute__((always_inline)) bool is_port_of(struct packet *packet, u16 port)
{
	return packet->source_port == port || packet->destination_port == port;
}

/* Services over UDP that say who is who in a home. */
static inline __attribute__((always_inline)) bool is_telling(struct packet *packet)
{
	return is_port_of(packet, 53) || is_port_of(packet, 5353) || is_port_of(packet, 5355) ||
	       is_port_of(packet, 67) || is_port_of(packet, 68) || is_port_of(packet, 546) ||
	       is_port_of(packet, 547) || is_port_of(packet, 1900);
}

/* Where TCP's payload stands in its way's stream; a SYN takes up one number itself. */
static inline __attribute__((always_inline)) u32 stream_offset(struct packet *packet, struct way *way)
{
	return packet->sequence + (packet->tcp_flags & TCP_SYN ? 1 : 0) - way->start;
}

/* Whether a packet with payload is to be sampled. */
static inline __attribute__((always_inline)) bool is_due(struct packet *packet, struct way *way)
{
	if (packet->protocol == PROTOCOL_UDP)
		return is_telling(packet) || !way->window || way->sampled < way->window;
	if (packet->protocol != PROTOCOL_TCP)
		return false;
	if (!way->window) { /* it was there before us */
		way->start = packet->sequence;
		way->window = WINDOW_OPEN;
	}
	if (is_port_of(packet, 53))
		return true;
	return way->sampled < MAX_TCP_SAMPLES && stream_offset(packet, way) < way->window;
}

static inline __attribute__((always_inline)) bool is_request(u8 *data)
{
	u32 word = data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3];

	return word == 0x47455420 /* GET_ */ || word == 0x504f5354 /* POST */ || word == 0x50555420 /* PUT_ */ ||
	       word == 0x48454144 /* HEAD */ || word == 0x4f505449 /* OPTI */ || word == 0x44454c45 /* DELE */ ||
	       word == 0x50415443 /* PATC */ || word == 0x434f4e4e /* CONN */ || word == 0x4e4f5449 /* NOTI */ ||
	       word == 0x4d2d5345 /* M-SE */ || word == 0x48545450 /* HTTP */;
}

/* How much of a stream is of interest, from its first bytes. */
static inline __attribute__((always_inline)) u16 window_of(u8 *data, u32 length)
{
	u32 hello;

	if (length < BEGINNING)
		return WINDOW_OPEN;
	if (data[0] == 0x16 && data[1] == 3 && data[5] == 1) {
		hello = BEGINNING + (data[6] << 16 | data[7] << 8 | data[8]) + HELLO_MARGIN;
		return hello < WINDOW_HELLO ? hello : WINDOW_HELLO;
	}
	return is_request(data) ? WINDOW_REQUEST : WINDOW_CLOSED;
}

/* What the first bytes say about how many more are wanted. */
static inline __attribute__((always_inline)) void learn(struct packet *packet, struct way *way, struct sample *draft)
{
	if (packet->protocol == PROTOCOL_UDP) {
		if (!way->window && !is_telling(packet))
			way->window = (draft->data[0] & QUIC_LONG_HEADER) == QUIC_LONG_HEADER ? QUIC_SAMPLES :
											       UDP_SAMPLES;
	} else if (!draft->offset && !is_port_of(packet, 53)) {
		way->window = window_of(draft->data, draft->wire_length);
	}
}

/* The CPU's draft with what comes before the data; NULL if the device has had too much, or there is none to take. */
static inline __attribute__((always_inline)) struct sample *draft_sample(struct __sk_buff *skb, struct scene *scene,
									 struct device *device, struct flow_key *key,
									 u64 wire_length, u8 kind)
{
	u64 now = bpf_ktime_get_boot_ns(), length = wire_length;
	struct packet *packet = &scene->packet;
	struct sample *draft;
	u32 zero = 0;

	draft = drafts.lookup(&zero);
	if (!draft)
		return NULL;
	if (!within(&device->samples_due, SAMPLE_COST, (SAMPLE_BURST - 1ULL) * SAMPLE_COST, now)) {
		count(SAMPLES_LIMITED);
		return NULL;
	}
	draft->time = now;
	draft->key = *key;
	draft->interface = skb->ingress_ifindex;
	draft->offset = 0;
	draft->wire_length = wire_length < 0xffff ? wire_length : 0xffff;
	draft->direction = scene->way;
	draft->kind = kind;
	__builtin_memcpy(draft->sender, packet->source_mac.byte, 6);
	/* Each bound by itself: merged into one comparison, as the compiler would, the verifier sees neither. */
	asm volatile("" : "+r"(length));
	if (length > SAMPLE_BYTES)
		length = SAMPLE_BYTES;
	asm volatile("" : "+r"(length));
	if (length < 1 || bpf_skb_load_bytes(skb, packet->header_bytes, draft->data, length))
		return NULL;
	draft->length = length;
	return draft;
}

/* Waking the sensor costs it more than a sample does: what can wait does so, until there is so much on a CPU. */
#define ENOUGH_TO_WAKE (SAMPLE_PAGES * 4096 / 16)

static inline __attribute__((always_inline)) bool hand_over(struct scene *scene, struct sample *draft, bool is_answer)
{
	u64 length = draft->length, size, flags = BPF_RB_NO_WAKEUP;

	asm volatile("" : "+r"(length));
	if (length > SAMPLE_BYTES)
		return false;
	size = sizeof(*draft) - SAMPLE_BYTES + length;
	if (is_answer) {
		if (!answers.ringbuf_output(draft, size, BPF_RB_FORCE_WAKEUP))
			return true;
		count(ANSWERS_LOST);
		return false;
	}
	scene->unannounced += size;
	if (scene->unannounced >= ENOUGH_TO_WAKE)
		flags = BPF_RB_FORCE_WAKEUP;
	if (samples.ringbuf_output(draft, size, flags)) {
		count(SAMPLES_LOST);
		return false;
	}
	if (flags == BPF_RB_FORCE_WAKEUP)
		scene->unannounced = 0;
	return true;
}

/* The bytes behind the packet's headers; what Ethernet padded it with is none of them. */
static inline __attribute__((always_inline)) u32 payload_of(struct __sk_buff *skb, struct packet *packet)
{
	u32 end = packet->end && packet->end < skb->len ? packet->end : skb->len;

	return end > packet->header_bytes ? end - packet->header_bytes : 0;
}

/* Samples a packet of a flow, if it is one of those that say something. */
static inline __attribute__((always_inline)) void sample_flow(struct __sk_buff *skb, struct scene *scene,
							      struct device *device, struct flow_key *key,
							      struct flow *flow)
{
	struct way *way = scene->way ? &flow->ways[DOWNLOAD] : &flow->ways[UPLOAD];
	struct packet *packet = &scene->packet;
	u32 payload = payload_of(skb, packet);
	struct sample *draft;
	u8 kind = SAMPLE_PAYLOAD;

	if (!payload || !packet->has_transport)
		return;
	if (packet->family == 6 && packet->protocol == PROTOCOL_ICMPV6) {
		if (scene->way || packet->icmp_type < 133 || packet->icmp_type > 137)
			return;
		kind = SAMPLE_ND;
	} else if (!is_due(packet, way)) {
		return;
	}
	draft = draft_sample(skb, scene, device, key, payload, kind);
	if (!draft)
		return;
	if (kind == SAMPLE_PAYLOAD && packet->protocol == PROTOCOL_TCP)
		draft->offset = stream_offset(packet, way);
	if (!hand_over(scene, draft, scene->way && packet->source_port == 53))
		return; /* the next packet may find room, and say the same */
	if (kind == SAMPLE_PAYLOAD)
		learn(packet, way, draft);
	if (way->sampled < 255)
		way->sampled++;
}

/* Samples what a device says about MACs and addresses. */
static inline __attribute__((always_inline)) void sample_arp(struct __sk_buff *skb, struct scene *scene,
							     struct device *device, struct flow_key *key)
{
	struct packet *packet = &scene->packet;
	struct sample *draft;

	if (packet->ethertype != ETHERTYPE_ARP || scene->way)
		return;
	__builtin_memcpy(key->mac, packet->source_mac.byte, 6);
	draft = draft_sample(skb, scene, device, key, payload_of(skb, packet), SAMPLE_ARP);
	if (draft)
		hand_over(scene, draft, false);
}

#endif
