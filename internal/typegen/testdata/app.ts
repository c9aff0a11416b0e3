export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  app: {
    Tables: {
      others: {
        Row: {
          a: unknown
          m: "sad" | "ok" | "very \"happy\"" | null
          ms: ("sad" | "ok" | "very \"happy\"")[] | null
          t: unknown
        }
        ComputedFields: never
        Insert: {
          a?: unknown
          m?: "sad" | "ok" | "very \"happy\"" | null
          ms?: ("sad" | "ok" | "very \"happy\"")[] | null
          t?: unknown
        }
        Update: {
          a?: unknown
          m?: "sad" | "ok" | "very \"happy\"" | null
          ms?: ("sad" | "ok" | "very \"happy\"")[] | null
          t?: unknown
        }
        Relationships: []
      }
      things: {
        Row: {
          id: number
          kind: Database["app"]["Enums"]["kind"]
          member: string | null
          mood: "sad" | "ok" | "very \"happy\"" | null
          own: Database["app"]["Enums"]["mood"] | null
          of_things: unknown
        }
        ComputedFields: "of_things"
        Insert: {
          id: number
          kind: Database["app"]["Enums"]["kind"]
          member?: string | null
          mood?: "sad" | "ok" | "very \"happy\"" | null
          own?: Database["app"]["Enums"]["mood"] | null
        }
        Update: {
          id?: number
          kind?: Database["app"]["Enums"]["kind"]
          member?: string | null
          mood?: "sad" | "ok" | "very \"happy\"" | null
          own?: Database["app"]["Enums"]["mood"] | null
        }
        Relationships: []
      }
    }
    Views: {
      shown: {
        Row: {
          id: number
          member: string | null
        }
        ComputedFields: never
        Insert: {
          id?: number | null
          member?: string | null
        }
        Update: {
          id?: number | null
          member?: string | null
        }
        Relationships: []
      }
    }
    Functions: {
      of_public: {
        Args: { t: unknown }
        Returns: number
      }
      of_things: {
        Args: { t: Omit<Database["app"]["Tables"]["things"]["Row"], Database["app"]["Tables"]["things"]["ComputedFields"]> }
        Returns: unknown[]
        SetofOptions: {
          from: "app.things"
          to: "teams"
          isOneToOne: false
          isSetofReturn: true
        }
      }
    }
    Enums: {
      kind: "a" | "b"
      mood: "other"
    }
    CompositeTypes: {
      [_ in never]: never
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "app">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] & DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
    : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
    : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never,
> = DefaultSchemaTableNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
    ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
    : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never,
> = DefaultSchemaEnumNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
    ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
    : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never,
> = PublicCompositeTypeNameOrOptions extends {
  schema: keyof DatabaseWithoutInternals
}
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
    ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
    : never

export const Constants = {
  app: {
    Enums: {
      kind: ["a", "b"],
      mood: ["other"],
    },
  },
} as const
