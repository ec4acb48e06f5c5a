/* SPDX-License-Identifier: GPL-2.0 */
/* A frame as it lies on the wire: headers, and reading them without trusting them. */
#ifndef HEARTHWALL_WIRE_H
#define HEARTHWALL_WIRE_H

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP 0x0806
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_PPPOE_DISCOVERY 0x8863
#define ETHERTYPE_PPPOE_SESSION 0x8864
#define ETHERTYPE_EAPOL 0x888e

#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ROUTING 43
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_AUTHENTICATION 51
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_DESTINATION 60
#define PROTOCOL_SCTP 132
#define PROTOCOL_UNKNOWN 255

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* As many tags and IPv6 extension headers as are followed; what hides deeper has no ports. */
#define MAX_VLAN_TAGS 2
#define MAX_EXTENSION_HEADERS 6

struct ethernet {
	u8 destination[6];
	u8 source[6];
	__be16 type;
} __attribute__((packed));

struct vlan_tag {
	__be16 control;
	__be16 type;
} __attribute__((packed));

struct ipv4 {
	u8 version_and_length;
	u8 service;
	__be16 length;
	__be16 identification;
	__be16 fragment;
	u8 time_to_live;
	u8 protocol;
	__sum16 checksum;
	__be32 source;
	__be32 destination;
} __attribute__((packed));

struct ipv6 {
	__be32 version_class_flow;
	__be16 length;
	u8 next_header;
	u8 hop_limit;
	__be32 source[4];
	__be32 destination[4];
} __attribute__((packed));

struct extension {
	u8 next_header;
	u8 length;
	__be16 fragment;
	__be32 rest;
} __attribute__((packed));

struct ports {
	__be16 source;
	__be16 destination;
} __attribute__((packed));

struct tcp {
	struct ports ports;
	__be32 sequence;
	__be32 acknowledgement;
	u8 data_offset;
	u8 flags;
	__be16 window;
} __attribute__((packed));

/* IPv4 addresses stand in it as ::ffff:a.b.c.d, so that one table serves both families. */
struct address {
	__be32 part[4];
};

/* A MAC in the low six bytes, in the order of the wire. */
struct mac {
	u8 byte[6];
	u16 zero;
};

struct packet {
	struct mac source_mac;
	struct mac destination_mac;
	struct address source;
	struct address destination;
	u32 header_bytes; /* up to the payload: what segmentation repeats in each segment */
	u16 ethertype;
	u16 source_port; /* 0 where there is none, or it can't be known */
	u16 destination_port;
	u8 family; /* 4, 6, or 0 where there are no addresses to trust */
	u8 protocol;
	u8 icmp_type;
	u8 icmp_code;
	u8 hop_limit;
	u8 tcp_flags;
	u8 has_transport; /* ICMP's, UDP's or SCTP's ports, or TCP's header are there: no later fragment */
	u8 zero;
	u32 sequence; /* TCP's */
	u32 length; /* as much of the frame as lies in one piece */
	u32 end; /* of the IP packet: behind it is Ethernet's padding; 0 if it does not say */
};

static inline __attribute__((always_inline)) void copy_mac(struct mac *to, const u8 *from)
{
	__builtin_memcpy(to->byte, from, 6);
	to->zero = 0;
}

static inline __attribute__((always_inline)) void map_ipv4(struct address *to, __be32 from)
{
	to->part[0] = 0;
	to->part[1] = 0;
	to->part[2] = bpf_htonl(0xffff);
	to->part[3] = from;
}

/* What Ethernet and its tags say. */
struct link {
	u32 offset; /* of the network header, 0 where the frame is too short */
	u16 ethertype;
	u16 vlan; /* the number of the outermost tag that has one, 0 for none */
};

static inline __attribute__((always_inline)) struct link read_link(void *data, void *end)
{
	struct ethernet *ethernet = data;
	struct link link = {};
	int i;

	if (data + sizeof(*ethernet) > end)
		return link;
	link.offset = sizeof(*ethernet);
	link.ethertype = bpf_ntohs(ethernet->type);
#pragma unroll
	for (i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_tag *tag = data + link.offset;

		if (link.ethertype != ETHERTYPE_VLAN && link.ethertype != ETHERTYPE_QINQ)
			break;
		if ((void *)(tag + 1) > end)
			break; /* cut off: judged as what it says it is, a tag */
		if (!link.vlan) /* number 0 only gives a priority: the VLAN is the tag's within */
			link.vlan = bpf_ntohs(tag->control) & 0xfff;
		link.ethertype = bpf_ntohs(tag->type);
		link.offset += sizeof(*tag);
	}
	return link;
}

/* Begins a packet with its link header, which has been read. */
static inline __attribute__((always_inline)) void take_link(struct packet *packet, struct link link, void *data,
							    void *end)
{
	struct ethernet *ethernet = data;

	if (data + sizeof(*ethernet) > end)
		return;
	copy_mac(&packet->source_mac, ethernet->source);
	copy_mac(&packet->destination_mac, ethernet->destination);
	packet->ethertype = link.ethertype;
	packet->header_bytes = link.offset;
	packet->length = end - data;
}

static inline __attribute__((always_inline)) void read_transport(void *header, void *end, struct packet *packet)
{
	struct ports *ports = header;
	struct tcp *tcp = header;
	u8 protocol = packet->protocol;

	if (header + 4 > end)
		return;
	if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
		packet->icmp_type = *(u8 *)header;
		packet->icmp_code = *(u8 *)(header + 1);
		packet->has_transport = 1;
		return;
	}
	if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP && protocol != PROTOCOL_SCTP)
		return;
	packet->has_transport = protocol != PROTOCOL_TCP;
	if (protocol == PROTOCOL_UDP) {
		packet->header_bytes += 8;
	} else if (protocol == PROTOCOL_TCP && (void *)(tcp + 1) <= end) { /* a first fragment may be shorter */
		packet->header_bytes += (tcp->data_offset >> 4) * 4;
		packet->tcp_flags = tcp->flags;
		packet->sequence = bpf_ntohl(tcp->sequence);
		packet->has_transport = tcp->data_offset >= 0x50;
	}
	packet->source_port = bpf_ntohs(ports->source);
	packet->destination_port = bpf_ntohs(ports->destination);
}

static inline __attribute__((always_inline)) void read_ipv4(void *header, void *end, struct packet *packet)
{
	struct ipv4 *ip = header;
	u32 length;

	if ((void *)(ip + 1) > end || ip->version_and_length >> 4 != 4)
		return;
	length = (ip->version_and_length & 15) * 4;
	if (length < sizeof(*ip))
		return;
	packet->family = 4;
	map_ipv4(&packet->source, ip->source);
	map_ipv4(&packet->destination, ip->destination);
	packet->protocol = ip->protocol;
	if (ip->length) /* segmentation offload leaves out what does not fit */
		packet->end = packet->header_bytes + bpf_ntohs(ip->length);
	packet->header_bytes += length;
	if (ip->fragment & bpf_htons(0x1fff)) /* a later fragment begins with somebody's payload */
		return;
	read_transport(header + length, end, packet);
}

static inline __attribute__((always_inline)) void read_ipv6(void *header, void *end, struct packet *packet)
{
	struct ipv6 *ip = header;
	void *next = header + sizeof(*ip);
	u8 protocol;
	int i;

	if (next > end || *(u8 *)header >> 4 != 6)
		return;
	packet->family = 6;
	packet->hop_limit = ip->hop_limit;
	__builtin_memcpy(&packet->source, ip->source, 16);
	__builtin_memcpy(&packet->destination, ip->destination, 16);
	if (ip->length)
		packet->end = packet->header_bytes + sizeof(*ip) + bpf_ntohs(ip->length);
	protocol = ip->next_header;
#pragma unroll
	for (i = 0; i < MAX_EXTENSION_HEADERS; i++) {
		struct extension *extension = next;

		if (protocol != PROTOCOL_HOP_BY_HOP && protocol != PROTOCOL_ROUTING &&
		    protocol != PROTOCOL_DESTINATION && protocol != PROTOCOL_FRAGMENT &&
		    protocol != PROTOCOL_AUTHENTICATION)
			break;
		if ((void *)(extension + 1) > end)
			goto unknown;
		if (protocol == PROTOCOL_FRAGMENT) {
			if (extension->fragment & bpf_htons(0xfff8)) { /* as in IPv4 it says of what it is a piece */
				packet->protocol = extension->next_header;
				packet->header_bytes += next - header;
				return;
			}
			next += 8;
		} else if (protocol == PROTOCOL_AUTHENTICATION) {
			next += (extension->length + 2) * 4;
		} else {
			next += (extension->length + 1) * 8;
		}
		protocol = extension->next_header;
	}
	packet->protocol = protocol;
	packet->header_bytes += next - header;
	read_transport(next, end, packet);
	return;
unknown:
	packet->protocol = PROTOCOL_UNKNOWN;
	packet->header_bytes += next - header;
}

/* Reads a whole frame into an empty packet. */
static inline __attribute__((always_inline)) void read_packet(struct packet *packet, struct link link, void *data,
							      void *end)
{
	take_link(packet, link, data, end);
	if (link.ethertype == ETHERTYPE_IPV4)
		read_ipv4(data + link.offset, end, packet);
	else if (link.ethertype == ETHERTYPE_IPV6)
		read_ipv6(data + link.offset, end, packet);
}

#endif
