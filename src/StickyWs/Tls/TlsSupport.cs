namespace StickyWs.Tls;

/// <summary>Whether this process can do TLS in the raw lane.</summary>
internal static class TlsSupport
{
    private static readonly Lazy<string?> Answer = new(() => TlsLibrary.Refusal ?? FirstFailure());
    private static readonly Lazy<string?> ClientAnswer = new(() => FirstRefusal() ?? TlsSelfTest.FirstClientFailure());

    /// <summary>
    /// Why it cannot be a server; <see langword="null"/> if it can. The first call loads OpenSSL and runs a handshake in memory with a record each way
    /// through both record layers: it finds a libssl that does not give its secrets, or one that numbers its records in another way.
    /// </summary>
    public static string? FirstRefusal() => Answer.Value;

    // With secrets by the log, if they are not to be had otherwise.
    private static string? FirstFailure()
    {
        if (KeyProvider.IsUsed && TlsSelfTest.FirstFailure() is null) return null;
        KeyProvider.GiveUp();
        return TlsSelfTest.FirstFailure();
    }

    /// <summary>Whether it can, as far as anybody has asked; <see langword="null"/> if nobody has.</summary>
    public static bool? WasFound => Answer.IsValueCreated ? Answer.Value is null : null;

    /// <summary>The same for a client.</summary>
    public static string? FirstClientRefusal() => ClientAnswer.Value;
}
