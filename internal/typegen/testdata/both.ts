export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  app: {
    Tables: {
      others: {
        Row: {
          a: Database["public"]["CompositeTypes"]["address"] | null
          m: Database["public"]["Enums"]["mood"] | null
          ms: Database["public"]["Enums"]["mood"][] | null
          t: Database["public"]["Tables"]["teams"]["Row"] | null
        }
        ComputedFields: never
        Insert: {
          a?: Database["public"]["CompositeTypes"]["address"] | null
          m?: Database["public"]["Enums"]["mood"] | null
          ms?: Database["public"]["Enums"]["mood"][] | null
          t?: Database["public"]["Tables"]["teams"]["Row"] | null
        }
        Update: {
          a?: Database["public"]["CompositeTypes"]["address"] | null
          m?: Database["public"]["Enums"]["mood"] | null
          ms?: Database["public"]["Enums"]["mood"][] | null
          t?: Database["public"]["Tables"]["teams"]["Row"] | null
        }
        Relationships: []
      }
      things: {
        Row: {
          id: number
          kind: Database["app"]["Enums"]["kind"]
          member: string | null
          mood: Database["public"]["Enums"]["mood"] | null
          own: Database["app"]["Enums"]["mood"] | null
          of_things: Database["public"]["Tables"]["teams"]["Row"] | null
        }
        ComputedFields: "of_things"
        Insert: {
          id: number
          kind: Database["app"]["Enums"]["kind"]
          member?: string | null
          mood?: Database["public"]["Enums"]["mood"] | null
          own?: Database["app"]["Enums"]["mood"] | null
        }
        Update: {
          id?: number
          kind?: Database["app"]["Enums"]["kind"]
          member?: string | null
          mood?: Database["public"]["Enums"]["mood"] | null
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
        Args: { t: Omit<Database["public"]["Tables"]["teams"]["Row"], Database["public"]["Tables"]["teams"]["ComputedFields"]> }
        Returns: number
      }
      of_things: {
        Args: { t: Omit<Database["app"]["Tables"]["things"]["Row"], Database["app"]["Tables"]["things"]["ComputedFields"]> }
        Returns: Database["public"]["Tables"]["teams"]["Row"][]
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
  public: {
    Tables: {
      details: {
        Row: {
          game: string | null
          note: string | null
          team_id: number | null
        }
        ComputedFields: never
        Insert: {
          game?: string | null
          note?: string | null
          team_id?: number | null
        }
        Update: {
          game?: string | null
          note?: string | null
          team_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "details_score"
            columns: ["team_id", "game"]
            isOneToOne: true
            referencedRelation: "renamed"
            referencedColumns: ["t", "g"]
          },
          {
            foreignKeyName: "details_score"
            columns: ["team_id", "game"]
            isOneToOne: true
            referencedRelation: "scores"
            referencedColumns: ["team_id", "game"]
          },
        ]
      }
      members: {
        Row: {
          "1st": string | null
          age: number | null
          amount: unknown
          at: string
          big: number | null
          bits: unknown
          boss: string | null
          code: string | null
          data: Json | null
          dates: unknown
          day_time: string | null
          duration: string | null
          email: string
          flag: boolean
          home: Database["public"]["CompositeTypes"]["address"] | null
          homes: Database["public"]["CompositeTypes"]["address"][]
          id: string
          ip: unknown
          list: number[]
          local_at: string | null
          lower_email: string | null
          matrix: number[] | null
          mood: Database["public"]["Enums"]["mood"]
          moods: Database["public"]["Enums"]["mood"][] | null
          nick: string
          number: number
          "odd name": string | null
          place: unknown
          plain: NonNullable<Json>
          "quoted\"name": string | null
          ratio: number | null
          raw: string | null
          score: number | null
          search: unknown
          serial_number: number
          small: number | null
          spans: unknown
          team_id: number
          user_id: string | null
          words: string[] | null
          xml_data: unknown
          boss_of: {
            "1st": string | null
            age: number | null
            amount: unknown
            at: string
            big: number | null
            bits: unknown
            boss: string | null
            code: string | null
            data: Json | null
            dates: unknown
            day_time: string | null
            duration: string | null
            email: string
            flag: boolean
            home: Database["public"]["CompositeTypes"]["address"] | null
            homes: Database["public"]["CompositeTypes"]["address"][]
            id: string
            ip: unknown
            list: number[]
            local_at: string | null
            lower_email: string | null
            matrix: number[] | null
            mood: Database["public"]["Enums"]["mood"]
            moods: Database["public"]["Enums"]["mood"][] | null
            nick: string
            number: number
            "odd name": string | null
            place: unknown
            plain: NonNullable<Json>
            "quoted\"name": string | null
            ratio: number | null
            raw: string | null
            score: number | null
            search: unknown
            serial_number: number
            small: number | null
            spans: unknown
            team_id: number
            user_id: string | null
            words: string[] | null
            xml_data: unknown
          } | null
          full_name: string | null
        }
        ComputedFields: "boss_of" | "full_name"
        Insert: {
          "1st"?: string | null
          age?: number | null
          amount?: unknown
          at?: string
          big?: number | null
          bits?: unknown
          boss?: string | null
          code?: string | null
          data?: Json | null
          dates?: unknown
          day_time?: string | null
          duration?: string | null
          email: string
          flag: boolean
          home?: Database["public"]["CompositeTypes"]["address"] | null
          homes?: Database["public"]["CompositeTypes"]["address"][]
          id?: string
          ip?: unknown
          list: number[]
          local_at?: string | null
          lower_email?: never
          matrix?: number[] | null
          mood?: Database["public"]["Enums"]["mood"]
          moods?: Database["public"]["Enums"]["mood"][] | null
          nick: string
          number?: number
          "odd name"?: string | null
          place?: unknown
          plain: NonNullable<Json>
          "quoted\"name"?: string | null
          ratio?: number | null
          raw?: string | null
          score?: number | null
          search?: unknown
          serial_number?: number
          small?: number | null
          spans?: unknown
          team_id: number
          user_id?: string | null
          words?: string[] | null
          xml_data?: unknown
        }
        Update: {
          "1st"?: string | null
          age?: number | null
          amount?: unknown
          at?: string
          big?: number | null
          bits?: unknown
          boss?: string | null
          code?: string | null
          data?: Json | null
          dates?: unknown
          day_time?: string | null
          duration?: string | null
          email?: string
          flag?: boolean
          home?: Database["public"]["CompositeTypes"]["address"] | null
          homes?: Database["public"]["CompositeTypes"]["address"][]
          id?: string
          ip?: unknown
          list?: number[]
          local_at?: string | null
          lower_email?: never
          matrix?: number[] | null
          mood?: Database["public"]["Enums"]["mood"]
          moods?: Database["public"]["Enums"]["mood"][] | null
          nick?: string
          number?: number
          "odd name"?: string | null
          place?: unknown
          plain?: NonNullable<Json>
          "quoted\"name"?: string | null
          ratio?: number | null
          raw?: string | null
          score?: number | null
          search?: unknown
          serial_number?: number
          small?: number | null
          spans?: unknown
          team_id?: number
          user_id?: string | null
          words?: string[] | null
          xml_data?: unknown
        }
        Relationships: [
          {
            foreignKeyName: "members_boss_fkey"
            columns: ["boss"]
            isOneToOne: false
            referencedRelation: "member_names"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_boss_fkey"
            columns: ["boss"]
            isOneToOne: false
            referencedRelation: "members"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_boss_fkey"
            columns: ["boss"]
            isOneToOne: false
            referencedRelation: "partly"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_boss_fkey"
            columns: ["boss"]
            isOneToOne: false
            referencedRelation: "twice"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_boss_fkey"
            columns: ["boss"]
            isOneToOne: false
            referencedRelation: "twice"
            referencedColumns: ["id2"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "in_with"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "merged"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "team_cache"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "team_sizes"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "teams"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_user_id_fkey"
            columns: ["user_id"]
            isOneToOne: true
            referencedRelation: "of_auth"
            referencedColumns: ["id"]
          },
        ]
      }
      nothing: {
        Row: {
        }
        ComputedFields: never
        Insert: {
        }
        Update: {
        }
        Relationships: []
      }
      "Odd Table": {
        Row: {
          Id: number
          member: string | null
          odd_rows: {
            Id: number
            member: string | null
          } | null
        }
        ComputedFields: "odd_rows"
        Insert: {
          Id: number
          member?: string | null
        }
        Update: {
          Id?: number
          member?: string | null
        }
        Relationships: [
          {
            foreignKeyName: "Odd Table_member_fkey"
            columns: ["member"]
            isOneToOne: false
            referencedRelation: "member_names"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "Odd Table_member_fkey"
            columns: ["member"]
            isOneToOne: false
            referencedRelation: "members"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "Odd Table_member_fkey"
            columns: ["member"]
            isOneToOne: false
            referencedRelation: "partly"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "Odd Table_member_fkey"
            columns: ["member"]
            isOneToOne: false
            referencedRelation: "twice"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "Odd Table_member_fkey"
            columns: ["member"]
            isOneToOne: false
            referencedRelation: "twice"
            referencedColumns: ["id2"]
          },
        ]
      }
      parted: {
        Row: {
          at: string
          id: number
        }
        ComputedFields: never
        Insert: {
          at: string
          id: number
        }
        Update: {
          at?: string
          id?: number
        }
        Relationships: []
      }
      parted_2026: {
        Row: {
          at: string
          id: number
        }
        ComputedFields: never
        Insert: {
          at: string
          id: number
        }
        Update: {
          at?: string
          id?: number
        }
        Relationships: []
      }
      scores: {
        Row: {
          game: string
          team_id: number
          value: number | null
        }
        ComputedFields: never
        Insert: {
          game: string
          team_id: number
          value?: number | null
        }
        Update: {
          game?: string
          team_id?: number
          value?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "scores_team"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "in_with"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "merged"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "team_cache"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "team_sizes"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "teams"
            referencedColumns: ["id"]
          },
        ]
      }
      teams: {
        Row: {
          founded: string | null
          id: number
          name: string
          team_scores: {
            game: string
            team_id: number
            value: number | null
          } | null
          unnamed_row: Database["public"]["Enums"]["mood"] | null
        }
        ComputedFields: "team_scores" | "unnamed_row"
        Insert: {
          founded?: string | null
          id?: never
          name: string
        }
        Update: {
          founded?: string | null
          id?: never
          name?: string
        }
        Relationships: []
      }
    }
    Views: {
      by_trigger: {
        Row: {
          a: number | null
        }
        ComputedFields: never
        Insert: {
          a?: number | null
        }
        Relationships: []
      }
      constants: {
        Row: {
          mood: Database["public"]["Enums"]["mood"] | null
          one: number | null
          word: string | null
        }
        ComputedFields: never
        Relationships: []
      }
      cubed: {
        Row: {
          founded: string | null
          name: string | null
        }
        ComputedFields: never
        Relationships: []
      }
      full_joined: {
        Row: {
          name: string | null
          other: string | null
        }
        ComputedFields: never
        Relationships: []
      }
      in_subquery: {
        Row: {
          game: string | null
          name: string
        }
        ComputedFields: never
        Relationships: []
      }
      in_with: {
        Row: {
          id: number
          name: string
        }
        ComputedFields: never
        Relationships: []
      }
      left_joined: {
        Row: {
          game: string | null
          name: string
          note: string | null
        }
        ComputedFields: never
        Relationships: []
      }
      member_names: {
        Row: {
          email: string
          id: string
          team_id: number
          view_rows: {
            founded: string | null
            id: number
            name: string
          } | null
        }
        ComputedFields: "view_rows"
        Insert: {
          email?: string | null
          id?: string | null
          team_id?: number | null
        }
        Update: {
          email?: string | null
          id?: string | null
          team_id?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "in_with"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "merged"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "team_cache"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "team_sizes"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team_id"]
            isOneToOne: false
            referencedRelation: "teams"
            referencedColumns: ["id"]
          },
        ]
      }
      merged: {
        Row: {
          id: number
          name: string | null
        }
        ComputedFields: never
        Relationships: []
      }
      of_auth: {
        Row: {
          id: string
        }
        ComputedFields: never
        Insert: {
          id?: string | null
        }
        Update: {
          id?: string | null
        }
        Relationships: []
      }
      of_view: {
        Row: {
          email: string
          team: number
        }
        ComputedFields: never
        Insert: {
          email?: string | null
          team?: number | null
        }
        Update: {
          email?: string | null
          team?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team"]
            isOneToOne: false
            referencedRelation: "in_with"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team"]
            isOneToOne: false
            referencedRelation: "merged"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team"]
            isOneToOne: false
            referencedRelation: "team_cache"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team"]
            isOneToOne: false
            referencedRelation: "team_sizes"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "members_team_id_fkey"
            columns: ["team"]
            isOneToOne: false
            referencedRelation: "teams"
            referencedColumns: ["id"]
          },
        ]
      }
      partly: {
        Row: {
          email: string
          id: string
          upper_email: string | null
        }
        ComputedFields: never
        Insert: {
          email?: string | null
          id?: string | null
          upper_email?: never
        }
        Update: {
          email?: string | null
          id?: string | null
          upper_email?: never
        }
        Relationships: []
      }
      renamed: {
        Row: {
          g: string
          t: number
          value: number | null
        }
        ComputedFields: never
        Insert: {
          g?: string | null
          t?: number | null
          value?: number | null
        }
        Update: {
          g?: string | null
          t?: number | null
          value?: number | null
        }
        Relationships: [
          {
            foreignKeyName: "scores_team"
            columns: ["t"]
            isOneToOne: false
            referencedRelation: "in_with"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["t"]
            isOneToOne: false
            referencedRelation: "merged"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["t"]
            isOneToOne: false
            referencedRelation: "team_cache"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["t"]
            isOneToOne: false
            referencedRelation: "team_sizes"
            referencedColumns: ["id"]
          },
          {
            foreignKeyName: "scores_team"
            columns: ["t"]
            isOneToOne: false
            referencedRelation: "teams"
            referencedColumns: ["id"]
          },
        ]
      }
      right_joined: {
        Row: {
          founded: string | null
          name: string | null
          other: string
        }
        ComputedFields: never
        Relationships: []
      }
      team_cache: {
        Row: {
          id: number
          name: string
          of_cache: number | null
        }
        ComputedFields: "of_cache"
        Relationships: []
      }
      team_sizes: {
        Row: {
          id: number
          name: string
          size: number | null
        }
        ComputedFields: never
        Relationships: []
      }
      twice: {
        Row: {
          id: string
          id2: string
        }
        ComputedFields: never
        Insert: {
          id?: string | null
          id2?: string | null
        }
        Update: {
          id?: string | null
          id2?: string | null
        }
        Relationships: []
      }
      united: {
        Row: {
          id: number | null
        }
        ComputedFields: never
        Relationships: []
      }
    }
    Functions: {
      add:
        | {
          Args: { a: number; b: number }
          Returns: number
        }
        | {
          Args: { a: string; b?: string }
          Returns: string
        }
      addresses: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["CompositeTypes"]["address"][]
        SetofOptions: {
          from: "*"
          to: "address"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      anything: {
        Args: Record<PropertyKey, never>
        Returns: Record<string, unknown>
      }
      anythings: {
        Args: Record<PropertyKey, never>
        Returns: Record<string, unknown>[]
      }
      boss_of: {
        Args: { m: Omit<Database["public"]["Tables"]["members"]["Row"], Database["public"]["Tables"]["members"]["ComputedFields"]> }
        Returns: {
          "1st": string | null
          age: number | null
          amount: unknown
          at: string
          big: number | null
          bits: unknown
          boss: string | null
          code: string | null
          data: Json | null
          dates: unknown
          day_time: string | null
          duration: string | null
          email: string
          flag: boolean
          home: Database["public"]["CompositeTypes"]["address"] | null
          homes: Database["public"]["CompositeTypes"]["address"][]
          id: string
          ip: unknown
          list: number[]
          local_at: string | null
          lower_email: string | null
          matrix: number[] | null
          mood: Database["public"]["Enums"]["mood"]
          moods: Database["public"]["Enums"]["mood"][] | null
          nick: string
          number: number
          "odd name": string | null
          place: unknown
          plain: NonNullable<Json>
          "quoted\"name": string | null
          ratio: number | null
          raw: string | null
          score: number | null
          search: unknown
          serial_number: number
          small: number | null
          spans: unknown
          team_id: number
          user_id: string | null
          words: string[] | null
          xml_data: unknown
        }
        SetofOptions: {
          from: "members"
          to: "members"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      clash:
        | {
          Args: { a: number }
          Returns: { error: true } & "Could not choose the best candidate function between: public.clash(a => int4), public.clash(a => text). Try renaming the parameters or the function itself in the database so function overloading can be resolved"
        }
        | {
          Args: { a: string }
          Returns: { error: true } & "Could not choose the best candidate function between: public.clash(a => int4), public.clash(a => text). Try renaming the parameters or the function itself in the database so function overloading can be resolved"
        }
      domained: {
        Args: { p: unknown }
        Returns: unknown
      }
      first_team: {
        Args: Record<PropertyKey, never>
        Returns: {
          founded: string | null
          id: number
          name: string
        }
        SetofOptions: {
          from: "*"
          to: "teams"
          isOneToOne: true
          isSetofReturn: false
        }
      }
      full_name: {
        Args: { m: Omit<Database["public"]["Tables"]["members"]["Row"], Database["public"]["Tables"]["members"]["ComputedFields"]> }
        Returns: string
      }
      inout_arg: {
        Args: { a: number }
        Returns: number
      }
      many: {
        Args: { list: number[] }
        Returns: number
      }
      moods: {
        Args: Record<PropertyKey, never>
        Returns: Database["public"]["Enums"]["mood"][]
      }
      no_clash:
        | {
          Args: { a: number }
          Returns: number
        }
        | {
          Args: { b: string }
          Returns: number
        }
      nothing_in: {
        Args: Record<PropertyKey, never>
        Returns: undefined
      }
      numbers: {
        Args: Record<PropertyKey, never>
        Returns: number[]
      }
      "Odd function": {
        Args: { "The arg": string }
        Returns: string
      }
      odd_rows: {
        Args: { o: Omit<Database["public"]["Tables"]["Odd Table"]["Row"], Database["public"]["Tables"]["Odd Table"]["ComputedFields"]> }
        Returns: {
          Id: number
          member: string | null
        }[]
        SetofOptions: {
          from: "\"Odd Table\""
          to: "Odd Table"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      of_cache: {
        Args: { t: Omit<Database["public"]["Views"]["team_cache"]["Row"], Database["public"]["Views"]["team_cache"]["ComputedFields"]> }
        Returns: number
      }
      one_out: {
        Args: { a: number }
        Returns: number
      }
      one_row: {
        Args: Record<PropertyKey, never>
        Returns: {
          founded: string | null
          id: number
          name: string
        }
        SetofOptions: {
          from: "*"
          to: "teams"
          isOneToOne: true
          isSetofReturn: true
        }
      }
      outs: {
        Args: { a: number }
        Returns: Record<string, unknown>
      }
      poly: {
        Args: { a: unknown }
        Returns: unknown
      }
      row_and_more: {
        Args: { n: number; t: Omit<Database["public"]["Tables"]["teams"]["Row"], Database["public"]["Tables"]["teams"]["ComputedFields"]> }
        Returns: number
      }
      rows_of: {
        Args: { d: Database["public"]["CompositeTypes"]["address"][]; e: Database["public"]["Tables"]["teams"]["Row"][]; j: Json[] }
        Returns: Database["public"]["Tables"]["teams"]["Row"][]
      }
      span_multirange: {
        Args: Record<PropertyKey, never>
        Returns: unknown
      }
      table_of: {
        Args: { m: Database["public"]["Enums"]["mood"] }
        Returns: {
          id: number
          label: string
          m2: Database["public"]["Enums"]["mood"]
        }[]
      }
      team_scores: {
        Args: { t: Omit<Database["public"]["Tables"]["teams"]["Row"], Database["public"]["Tables"]["teams"]["ComputedFields"]> }
        Returns: {
          game: string
          team_id: number
          value: number | null
        }[]
        SetofOptions: {
          from: "teams"
          to: "scores"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      teams_of: {
        Args: { most?: number; word: string }
        Returns: {
          founded: string | null
          id: number
          name: string
        }[]
        SetofOptions: {
          from: "*"
          to: "teams"
          isOneToOne: false
          isSetofReturn: true
        }
      }
      unnamed_json: {
        Args: { "": Json }
        Returns: Json
      }
      unnamed_row: {
        Args: { "": Database["public"]["Tables"]["teams"]["Row"] }
        Returns: { error: true } & "the function public.unnamed_row with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache"
      }
      view_rows: {
        Args: { v: Omit<Database["public"]["Views"]["member_names"]["Row"], Database["public"]["Views"]["member_names"]["ComputedFields"]> }
        Returns: {
          founded: string | null
          id: number
          name: string
        }[]
        SetofOptions: {
          from: "member_names"
          to: "teams"
          isOneToOne: false
          isSetofReturn: true
        }
      }
    }
    Enums: {
      mood: "sad" | "ok" | "very \"happy\""
    }
    CompositeTypes: {
      address: {
        street: string | null
        zip: number | null
        mood: Database["public"]["Enums"]["mood"] | null
        tags: string[] | null
      }
    }
  }
}

type DatabaseWithoutInternals = Omit<Database, "__InternalSupabase">

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

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
  public: {
    Enums: {
      mood: ["sad", "ok", "very \"happy\""],
    },
  },
} as const
