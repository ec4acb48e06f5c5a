/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The gate: XDP on the ingress of a LAN-side port, where what a rule forbids dies first and costs least.
 *
 * It is on a port only while there are rules, and knows nothing but them: counting is the meter's.
 */
#include "verdict.h"

int gate(struct xdp_md *context)
{
	void *data = (void *)(long)context->data;
	void *end = (void *)(long)context->data_end;
	struct packet packet = {};
	struct config *settings;
	u32 zero = 0, offset;

	settings = config.lookup(&zero);
	if (!settings)
		return XDP_PASS;
	offset = read_link(data, end, &packet);
	if (!offset)
		return XDP_PASS;
	if (!is_dropped(settings, data, end, offset, &packet, UPLOAD, 1, end - data))
		return XDP_PASS;
	count(DROPPED_GATE);
	return XDP_DROP;
}
