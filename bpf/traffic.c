/* SPDX-License-Identifier: GPL-2.0 */
/* What sockets exchange: their packets are counted, and dropped where a rule on their program says so. */
/* Included after process.c: the tables of sockets are filled there. */

#define LOOPBACK 1 /* the interface */

/* The ends of a packet, from a local socket's side. */
struct ends {
	struct address local;
	struct address peer;
	u16 port;
	u16 peer_port;
	u8 protocol;
	u8 zero[3];
};

struct port_pair {
	__be16 source;
	__be16 destination;
};

static inline __attribute__((always_inline)) bool read_ends(struct __sk_buff *skb, bool is_sent, struct ends *ends)
{
	struct address source, destination;
	struct port_pair ports = {};
	struct ipv4 ip;
	struct ipv6 ip6;
	u32 offset;

	if (skb->protocol == bpf_htons(ETHERTYPE_IPV4)) {
		if (bpf_skb_load_bytes(skb, 0, &ip, sizeof(ip)))
			return false;
		source = mapped(ip.source);
		destination = mapped(ip.destination);
		ends->protocol = ip.protocol;
		offset = (ip.version_and_length & 15) * 4;
	} else {
		if (bpf_skb_load_bytes(skb, 0, &ip6, sizeof(ip6)))
			return false;
		__builtin_memcpy(&source, ip6.source, sizeof(source));
		__builtin_memcpy(&destination, ip6.destination, sizeof(destination));
		ends->protocol = ip6.next_header;
		offset = sizeof(ip6);
	}
	if (ends->protocol == PROTOCOL_TCP || ends->protocol == PROTOCOL_UDP)
		bpf_skb_load_bytes(skb, offset, &ports, sizeof(ports));
	ends->local = is_sent ? source : destination;
	ends->peer = is_sent ? destination : source;
	ends->port = bpf_ntohs(is_sent ? ports.source : ports.destination);
	ends->peer_port = bpf_ntohs(is_sent ? ports.destination : ports.source);
	return true;
}

/* What a packet belongs to, for a socket that is not connected. */
static inline __attribute__((always_inline)) struct socket *exchange_of(u64 cookie, struct socket *owner, struct ends *ends)
{
	struct exchange key = { .cookie = cookie, .peer = ends->peer, .peer_port = ends->peer_port };
	struct socket socket = {}, *known;

	known = exchanges.lookup(&key);
	if (known)
		return known;
	socket.image = owner->image;
	socket.pid = owner->pid;
	socket.uid = owner->uid;
	socket.cgroup = owner->cgroup;
	socket.first = bpf_ktime_get_boot_ns();
	socket.local = ends->local;
	socket.peer = ends->peer;
	socket.port = ends->port;
	socket.peer_port = ends->peer_port;
	socket.protocol = ends->protocol;
	socket.unconnected = 1;
	exchanges.update(&key, &socket);
	return exchanges.lookup(&key);
}

/* A socket that no hook has seen is of whoever has bound its port. */
static inline __attribute__((always_inline)) struct socket *adopt(struct __sk_buff *skb, u64 cookie, struct ends *ends,
								  bool is_sent)
{
	struct port_key key = {
		.cgroup = bpf_skb_cgroup_id(skb),
		.address = ends->local,
		.port = ends->port,
		.protocol = ends->protocol,
	};
	struct port_owner *owner = port_owners.lookup(&key);
	struct address any = {};
	struct socket socket = {};

	if (!owner) { /* who is bound to all addresses */
		key.address = any;
		owner = port_owners.lookup(&key);
	}
	if (!owner) {
		key.address = mapped(0);
		owner = port_owners.lookup(&key);
	}

	if (!owner || owner->cookie == cookie || closed_sockets.lookup(&cookie)) /* a listener's own packets belong to no connection yet */
		return NULL;
	socket.image = owner->image;
	socket.pid = owner->pid;
	socket.uid = owner->uid;
	socket.cgroup = key.cgroup;
	socket.first = bpf_ktime_get_boot_ns();
	socket.peer = ends->peer;
	socket.peer_port = ends->peer_port;
	socket.protocol = ends->protocol;
	socket.accepted = ends->protocol == PROTOCOL_TCP;
	remember(&cookie, &socket);
	return sockets.lookup(&cookie);
}

static inline __attribute__((always_inline)) int passes(struct __sk_buff *skb, bool is_sent)
{
	struct process_settings *settings = current_settings();
	bool is_local = skb->ifindex == LOOPBACK;
	struct ends ends = {};
	struct closed_socket *closed;
	struct socket *socket;
	u64 cookie;

	if (!settings || (is_local && !settings->rules))
		return ALLOW;
	cookie = bpf_get_socket_cookie(skb);
	if (!cookie || !read_ends(skb, is_sent, &ends))
		return ALLOW;
	socket = sockets.lookup(&cookie);
	if (!socket)
		socket = adopt(skb, cookie, &ends, is_sent);
	if (!socket) {
		closed = closed_sockets.lookup(&cookie);
		if (!closed || !settings->rules ||
		    !is_refused(settings, closed->pid, closed->image, &ends.peer, skb->len))
			return ALLOW;
		count_process(PROCESS_DROPPED);
		return REFUSE;
	}
	if (settings->rules && is_refused(settings, socket->pid, socket->image, &ends.peer, skb->len)) {
		count_process(PROCESS_DROPPED);
		return REFUSE;
	}
	if (is_local)
		return ALLOW;
	if (socket->unconnected)
		socket = exchange_of(cookie, socket, &ends);
	if (!socket)
		return ALLOW;
	if (!socket->last) {
		socket->local = ends.local;
		socket->port = ends.port;
	}
	socket->last = bpf_ktime_get_boot_ns();
	if (is_sent) {
		lock_xadd(&socket->sent_bytes, skb->len);
		lock_xadd(&socket->sent_packets, 1);
	} else {
		lock_xadd(&socket->received_bytes, skb->len);
		lock_xadd(&socket->received_packets, 1);
	}
	return ALLOW;
}

int process_sends(struct __sk_buff *skb)
{
	return passes(skb, true);
}

int process_receives(struct __sk_buff *skb)
{
	return passes(skb, false);
}
