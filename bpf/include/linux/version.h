/* SPDX-License-Identifier: GPL-2.0 */
/* Only kprobes are tied to a version, and there are none. */
#ifndef HEARTHWALL_VERSION_H
#define HEARTHWALL_VERSION_H
#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))
#define LINUX_VERSION_CODE KERNEL_VERSION(5, 15, 0)
#endif
