// The part of Home Assistant's frontend that the cards rely on.

export type Unsubscribe = () => Promise<void> | void;

export interface Connection {
  subscribeMessage<T>(
    callback: (message: T) => void,
    message: Record<string, unknown> & { type: string },
    options?: { resubscribe?: boolean },
  ): Promise<Unsubscribe>;
  addEventListener(event: "ready" | "disconnected", callback: () => void): void;
  removeEventListener(event: "ready" | "disconnected", callback: () => void): void;
  connected?: boolean;
}

export interface Locale {
  language: string;
  number_format: string;
  time_format: string;
  time_zone?: string;
}

export interface EntityState {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
}

export interface RegistryEntity {
  entity_id: string;
  device_id?: string | null;
  platform?: string;
  translation_key?: string;
}

export interface RegistryDevice {
  id: string;
  area_id: string | null;
  identifiers?: [string, string][];
  labels?: string[];
  name?: string | null;
  name_by_user?: string | null;
}

export interface Area {
  area_id: string;
  name: string;
}

export interface Label {
  label_id: string;
  name: string;
}

export interface HomeAssistant {
  connection: Connection;
  states: Record<string, EntityState>;
  entities: Record<string, RegistryEntity>;
  devices: Record<string, RegistryDevice>;
  areas: Record<string, Area>;
  locale: Locale;
  config: { components: string[]; time_zone: string };
  user?: { is_admin: boolean };
  dockedSidebar?: "docked" | "auto" | "always_hidden";
  callWS<T>(message: Record<string, unknown> & { type: string }): Promise<T>;
  callService(
    domain: string,
    service: string,
    data?: Record<string, unknown>,
    target?: Record<string, unknown>,
    notifyOnError?: boolean,
    returnResponse?: boolean,
  ): Promise<{ response?: unknown } | void>;
}

/** What a row of a form made by getConfigForm says. */
export interface FormField {
  name: string;
  required?: boolean;
  default?: unknown;
  selector: Record<string, unknown>;
}

export interface ConfigForm {
  schema: FormField[];
  computeLabel?: (field: FormField) => string | undefined;
  computeHelper?: (field: FormField) => string | undefined;
}

export interface GridOptions {
  columns: number | "full";
  rows: number | "auto";
  min_columns: number;
  min_rows?: number;
}

export interface CustomCard {
  type: string;
  name: string;
  description: string;
  preview?: boolean;
  documentationURL?: string;
  getEntitySuggestion?: (hass: HomeAssistant, entityId: string) => { config: Record<string, unknown> } | null;
}

export interface CustomFeature {
  type: string;
  name: string;
  isSupported: (hass: HomeAssistant, context: { entity_id?: string }) => boolean;
  configurable?: boolean;
}

declare global {
  interface Window {
    customCards?: CustomCard[];
    customBadges?: CustomCard[];
    customCardFeatures?: CustomFeature[];
    customStrategies?: {
      type: string;
      strategyType: "dashboard" | "view";
      name: string;
      description: string;
      documentationURL?: string;
    }[];
  }
}

export const DOMAIN = "hearthwall";

/** Whether an error of a command says that Home Assistant does not know it (yet). */
export const isUnknownCommand = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === "unknown_command";

/** What a failed command or action says, for a person to read. */
export const errorText = (error: unknown): string => {
  const message = (error as { message?: unknown } | null)?.message;
  return typeof message === "string" ? message : String(error);
};

export const isAdmin = (hass: HomeAssistant): boolean => hass.user?.is_admin ?? false;
