import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { VitePWA } from "vite-plugin-pwa";

/** Languages are a hundred files, of which a person needs two or three: those are kept when they were used. */
const IS_LANGUAGE = /@codemirror\/(lang-|legacy-modes)|@lezer\//;

const server = process.env.CHRONOSCRIBE_URL ?? "http://127.0.0.1:8484";

export default defineConfig({
  plugins: [
    react(),
    VitePWA({
      registerType: "prompt",
      injectRegister: null, // main.tsx does it, so that no script stands in the page
      manifest: {
        name: "Chronoscribe",
        short_name: "Chronoscribe",
        description: "Write together, and travel back to any moment of it.",
        start_url: "/",
        display: "standalone",
        background_color: "#f5f6f8",
        theme_color: "#3a5bd9",
        icons: [
          { src: "icon.svg", sizes: "any", type: "image/svg+xml" },
          { src: "icon-192.png", sizes: "192x192", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png" },
          { src: "icon-512.png", sizes: "512x512", type: "image/png", purpose: "maskable" },
        ],
      },
      workbox: {
        globPatterns: ["index.html", "assets/*.{js,css}", "*.{svg,png}"],
        globIgnores: ["assets/language-*"],
        navigateFallback: "/index.html",
        // What the server says itself is never out of a cache.
        navigateFallbackDenylist: [/^\/(api|ws|healthz|readyz|metrics)/],
        runtimeCaching: [
          {
            urlPattern: /\/assets\//,
            handler: "CacheFirst",
            options: { cacheName: "languages", expiration: { maxEntries: 100 } },
          },
        ],
      },
    }),
  ],
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the policy allows no data in the place of files but images
    rolldownOptions: {
      output: {
        chunkFileNames: (chunk) =>
          chunk.moduleIds.length > 0 && chunk.moduleIds.every((id) => IS_LANGUAGE.test(id))
            ? "assets/language-[name]-[hash].js"
            : "assets/[name]-[hash].js",
      },
    },
  },
  server: { proxy: { "/api": server, "/ws": { target: server, ws: true } } },
});
