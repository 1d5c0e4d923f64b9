/** Of React Native what an example uses, which is not installed here. */

declare module "react-native" {
  export const AppState: { addEventListener(name: "change", listener: (state: string) => void): unknown };
}

declare module "@react-native-community/netinfo" {
  const NetInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): unknown };
  export default NetInfo;
}

declare module "@react-native-async-storage/async-storage" {
  const AsyncStorage: import("@chronoscribe/client").AsyncStorageLike;
  export default AsyncStorage;
}
