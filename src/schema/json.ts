/** What a `jsonb` column holds. */
export type Json = null | boolean | number | string | Json[] | JsonObject

/** A JSON object. Without `undefined`, dates and the like, which would come back as something else, or not at all. */
export type JsonObject = { [key: string]: Json }
