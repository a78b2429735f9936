export * from "../../scripts/bench/throwaway-postgres";
