// A severity is told by colour, shape and word: never by its colour alone.

import {
  mdiAlertCircleOutline,
  mdiAlertOctagon,
  mdiAlertOutline,
  mdiInformationOutline,
  mdiShieldAlert,
} from "@mdi/js";
import { html, type TemplateResult } from "lit";
import type { Severity } from "../messages.js";

const PATHS: Record<Severity, string> = {
  info: mdiInformationOutline,
  low: mdiAlertCircleOutline,
  medium: mdiAlertOutline,
  high: mdiAlertOctagon,
  critical: mdiShieldAlert,
};

/** Return an icon that says nothing by itself. */
export const icon = (path: string): TemplateResult =>
  html`<svg viewBox="0 0 24 24" aria-hidden="true"><path d=${path}></path></svg>`;

export const severityIcon = (severity: Severity): TemplateResult => icon(PATHS[severity] ?? PATHS.info);
