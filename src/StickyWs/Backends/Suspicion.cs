using System.Net;

namespace StickyWs.Backends;

/// <summary>A failure that the data path saw: what it is evidence of, and whose request it was.</summary>
/// <param name="Evidence">What was seen.</param>
/// <param name="Cause">The same in words, for the log.</param>
/// <param name="Client">The client's address; <see langword="null"/> where there is none.</param>
internal readonly record struct Suspicion(Evidence Evidence, string Cause, IPAddress? Client = null)
{
    public bool IsProof => Evidence.IsProof();

    public static Suspicion Of(Evidence evidence, IPAddress? client) => new(evidence, evidence.ToText(), client);
}
