using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace StickyWs.Tests.Architecture;

/// <summary>Which type of a compiled assembly refers to which other, in signatures, attributes and code.</summary>
internal static class TypeReferences
{
    public static HashSet<(TypeName From, TypeName To)> Of(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var found = new HashSet<(TypeName, TypeName)>();
        foreach (var handle in metadata.TypeDefinitions)
        {
            var collector = new ReferenceCollector(metadata);
            CollectDeclaration(metadata, metadata.GetTypeDefinition(handle), collector);
            foreach (var method in metadata.GetTypeDefinition(handle).GetMethods())
                CollectMethod(file, metadata, metadata.GetMethodDefinition(method), collector);
            var from = collector.NameOf(handle);
            found.UnionWith(collector.Found.Where(to => to != from).Select(to => (from, to)));
        }

        return found;
    }

    private static void CollectDeclaration(MetadataReader metadata, TypeDefinition type, ReferenceCollector collector)
    {
        collector.Add(type.BaseType);
        collector.AddAttributes(type.GetCustomAttributes());
        collector.AddConstraints(type.GetGenericParameters());
        foreach (var implementation in type.GetInterfaceImplementations()) collector.Add(metadata.GetInterfaceImplementation(implementation).Interface);
        foreach (var property in type.GetProperties()) collector.AddAttributes(metadata.GetPropertyDefinition(property).GetCustomAttributes());
        foreach (var happening in type.GetEvents()) collector.AddAttributes(metadata.GetEventDefinition(happening).GetCustomAttributes());
        foreach (var field in type.GetFields().Select(metadata.GetFieldDefinition))
        {
            field.DecodeSignature(collector, null);
            collector.AddAttributes(field.GetCustomAttributes());
        }
    }

    private static void CollectMethod(PEReader file, MetadataReader metadata, MethodDefinition method, ReferenceCollector collector)
    {
        method.DecodeSignature(collector, null);
        collector.AddAttributes(method.GetCustomAttributes());
        collector.AddConstraints(method.GetGenericParameters());
        foreach (var parameter in method.GetParameters()) collector.AddAttributes(metadata.GetParameter(parameter).GetCustomAttributes());
        if (method.RelativeVirtualAddress == 0) return;
        var body = file.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil) metadata.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(collector, null);
        foreach (var region in body.ExceptionRegions) collector.Add(region.CatchType);
        foreach (var token in IntermediateCode.Tokens(body.GetILReader())) collector.Add(token);
    }
}
