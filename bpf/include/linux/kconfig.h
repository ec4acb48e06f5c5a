/* SPDX-License-Identifier: GPL-2.0 */
/* bcc includes this file before all others. */
#ifndef HEARTHWALL_KCONFIG_H
#define HEARTHWALL_KCONFIG_H
#define CONFIG_BPF_SYSCALL 1
#endif
