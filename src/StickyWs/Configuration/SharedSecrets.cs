namespace StickyWs.Configuration;

/// <summary>Secrets that all instances share: each the base64 of 32 random bytes.</summary>
internal static class SharedSecrets
{
    private const int Bytes = 32;

    public static void Check(string key, IList<string> secrets, List<string> errors)
    {
        for (var i = 0; i < secrets.Count; i++)
        {
            // The value is left out: it may be most of a secret.
            if (!IsSecret(secrets[i])) errors.Add($"{key}:{i} is not a key: use the base64 of {Bytes} random bytes (openssl rand -base64 {Bytes}).");
        }
    }

    private static bool IsSecret(string text)
    {
        Span<byte> bytes = stackalloc byte[Bytes + 1];
        return Convert.TryFromBase64String(text, bytes, out var written) && written == Bytes;
    }
}
