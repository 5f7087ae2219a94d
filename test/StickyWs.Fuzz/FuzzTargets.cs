namespace StickyWs.Fuzz;

/// <summary>The targets by name.</summary>
public static class FuzzTargets
{
    /// <summary>The target, or <see langword="null"/> when there is none of this name.</summary>
    public static IFuzzTarget? Create(string name) => name switch
    {
        "sniffer" => new SnifferTarget(),
        "response" => new ResponseHeadTarget(),
        "body" => new BodyDecoderTarget(),
        "affinity" => new AffinityTarget(),
        "frames" => new FramesTarget(),
        "client-hello" => new ClientHelloTarget(),
        "record" => new RecordTarget(),
        "record-content" => new RecordContentTarget(),
        "record-content-client" => new ClientContentTarget(),
        "direct-requests" => new DirectRequestsTarget(),
        "direct-answers" => new DirectAnswersTarget(),
        _ => null,
    };
}
